package sender

import (
	"net/netip"

	"golang.org/x/net/publicsuffix"
)

// Quote counts how often receivers quoted an address when they turned away
// mail of an origin ("Messages from 203.0.113.9 temporarily deferred").
type Quote struct {
	Origin Origin
	IP     netip.Addr
	Count  int64
}

// minQuotes is how often an address must be quoted before it is believed.
const minQuotes = 3

// minOrganisations is of how many organisations' mail an address must be
// quoted before it is believed for a whole place: one tag may serve several
// addresses by sender, and only refusals are quoted.
const minOrganisations = 2

// tally is what was quoted for a place, or for one sender domain there.
type tally struct {
	counts map[netip.Addr]int64
	orgs   map[string]bool
}

// sole returns the address that was quoted often enough and is the only one.
func (t *tally) sole() (netip.Addr, bool) {
	if len(t.counts) != 1 {
		return netip.Addr{}, false
	}
	for ip, n := range t.counts {
		return ip, n >= minQuotes
	}
	return netip.Addr{}, false
}

// lessons are the addresses learned from quotes: for a sender domain at a
// place (key with a domain), and for places (key without).
type lessons map[lessonKey]netip.Addr

type lessonKey struct {
	place
	domain string
}

// learn believes an address that receivers quoted at least three times and no
// other was quoted beside it. Origins that the configuration covers don't
// teach: their place may be shared.
func learn(rules []Rule, quotes []Quote) lessons {
	tallies := map[lessonKey]*tally{}
	add := func(k lessonKey, q *Quote) {
		if tallies[k] == nil {
			tallies[k] = &tally{map[netip.Addr]int64{}, map[string]bool{}}
		}
		tallies[k].counts[q.IP.Unmap()] += q.Count
		tallies[k].orgs[organisation(q.Origin.Domain)] = true
	}
	for i := range quotes {
		q := &quotes[i]
		if configured(rules, &q.Origin) || q.Origin.LocalIP != "" || !usable(q.IP) {
			continue
		}
		p := place{q.Origin.Host, q.Origin.Tag, q.Origin.Transport}
		add(lessonKey{place: p}, q)
		if q.Origin.Domain != "" {
			add(lessonKey{p, q.Origin.Domain}, q)
		}
	}
	learned := lessons{}
	for k, t := range tallies {
		if ip, ok := t.sole(); ok && (k.domain != "" || len(t.orgs) >= minOrganisations) {
			learned[k] = ip
		}
	}
	return learned
}

// find returns what was learned of an origin: of its sender's domain, else of
// its place.
func (l lessons) find(o *Origin) (netip.Addr, bool) {
	p := place{o.Host, o.Tag, o.Transport}
	if ip, ok := l[lessonKey{p, o.Domain}]; ok {
		return ip, true
	}
	ip, ok := l[lessonKey{place: p}]
	return ip, ok
}

// organisation is the registrable domain: news.example.com and
// tx.example.com are one sender.
func organisation(domain string) string {
	if org, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return org
	}
	return domain
}

func configured(rules []Rule, o *Origin) bool {
	for i := range rules {
		if rules[i].matches(o) {
			return true
		}
	}
	return false
}
