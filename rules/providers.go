package rules

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"repute/delivery"
)

// provider is one entry of providers.toml.
type provider struct {
	ID      string   `toml:"id"`
	Name    string   `toml:"name"`
	Help    string   `toml:"help"`
	MX      []string `toml:"mx"`      // suffixes of MX host names: ".google.com"; without the dot: the very name
	Domains []string `toml:"domains"` // recipient domains that are the provider's own
	Aliases []string `toml:"aliases"` // what users call it
}

type providers struct {
	receivers map[string]delivery.Receiver
	bySuffix  map[string]string // MX suffix without the leading dot → id
	byDomain  map[string]string
	byAlias   map[string]string
}

func newProviders() *providers {
	return &providers{
		receivers: map[string]delivery.Receiver{}, bySuffix: map[string]string{},
		byDomain: map[string]string{}, byAlias: map[string]string{},
	}
}

// add adds entries; what an earlier file said stays.
func (p *providers) add(entries []provider) error {
	for _, e := range entries {
		if e.ID == "" || e.Name == "" {
			return fmt.Errorf("a receiver needs id and name: %+v", e)
		}
		if _, ok := p.receivers[e.ID]; !ok {
			p.receivers[e.ID] = delivery.Receiver{ID: e.ID, Name: e.Name, Help: e.Help, Provider: true}
		}
		setAll(p.bySuffix, e.MX, e.ID)
		setAll(p.byDomain, e.Domains, e.ID)
		setAll(p.byAlias, append(e.Aliases, e.ID, e.Name), e.ID)
	}
	return nil
}

func setAll(m map[string]string, keys []string, id string) {
	for _, k := range keys {
		k = strings.ToLower(strings.TrimPrefix(k, "."))
		if _, ok := m[k]; !ok {
			m[k] = id
		}
	}
}

// Receiver tells who judges: the provider by the MX host, else by a recipient
// domain that is the provider's own, else the registrable domain of the MX
// host, else the recipient's domain.
func (s *Set) Receiver(relayHost, recipientDomain string) delivery.Receiver {
	p := s.providers
	host, domain := cleanName(relayHost), cleanName(recipientDomain)
	if id := p.suffix(host); id != "" {
		if own := p.own(domain); own != "" && (id == "google-apps" && own == "gmail" || id == "microsoft365" && own == "outlook") {
			id = own
		}
		return p.receivers[id]
	}
	if id := p.own(domain); id != "" {
		return p.receivers[id]
	}
	if host != "" {
		if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			return delivery.Receiver{ID: d, Name: d}
		}
	}
	if domain == "" {
		domain = "unknown"
	}
	return delivery.Receiver{ID: domain, Name: domain}
}

// own finds the provider of a domain of its own. "yahoo.*" stands for
// yahoo.com, yahoo.co.uk and what else ends in a public suffix.
func (p *providers) own(domain string) string {
	if id := p.byDomain[domain]; id != "" {
		return id
	}
	name, rest, _ := strings.Cut(domain, ".")
	id := p.byDomain[name+".*"]
	if id == "" {
		return ""
	}
	if suffix, icann := publicsuffix.PublicSuffix(rest); !icann || suffix != rest {
		return ""
	}
	return id
}

// suffix finds the longest known suffix of a host name.
func (p *providers) suffix(host string) string {
	for rest := host; rest != ""; {
		if id := p.bySuffix[rest]; id != "" {
			return id
		}
		i := strings.IndexByte(rest, '.')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
	}
	return ""
}

// Lookup finds a receiver by what a user calls it: id, name, alias or domain.
func (s *Set) Lookup(word string) (delivery.Receiver, bool) {
	w := strings.ToLower(strings.TrimSpace(word))
	for _, m := range []map[string]string{s.providers.byAlias, s.providers.byDomain} {
		if id, ok := m[w]; ok {
			return s.providers.receivers[id], true
		}
	}
	return delivery.Receiver{}, false
}

// ByID returns a receiver by its id; a domain that is no provider's is its
// own receiver.
func (s *Set) ByID(id string) delivery.Receiver {
	if r, ok := s.providers.receivers[id]; ok {
		return r
	}
	return delivery.Receiver{ID: id, Name: id}
}

func cleanName(s string) string {
	return strings.ToLower(strings.TrimSuffix(s, "."))
}
