// Package sender tells which sending IP an origin stands for.
//
// An origin is what a log line shows of the sender: host, syslog tag,
// transport, local address, envelope sender's domain. Origins are kept with
// the evidence and resolved when it is read, so a change of the configuration
// or an address learned later holds for the whole history.
package sender

import (
	"net/netip"
	"strings"
)

// Origin is what the log shows of the sending side. Empty fields were not
// shown.
type Origin struct {
	Host      string // as logged
	Tag       string // syslog tag without the daemon: "postfix/out2"
	Transport string // Exim T=
	LocalIP   string // Exim I=
	Domain    string // envelope sender's domain
}

// Rule maps origins to a sending IP or to a pool whose addresses the log
// can't tell apart. Empty keys match everything.
type Rule struct {
	Host, Tag, Transport, Domain string
	IP                           netip.Addr
	Pool                         string
}

func (r *Rule) matches(o *Origin) bool {
	return (r.Host == "" || strings.EqualFold(r.Host, o.Host)) &&
		(r.Tag == "" || r.Tag == o.Tag) &&
		(r.Transport == "" || r.Transport == o.Transport) &&
		(r.Domain == "" || strings.EqualFold(r.Domain, o.Domain))
}

// How says how a sending IP is known.
type How string

// The ways, in the order in which they are tried after the line's own address.
const (
	FromLine    How = "line"    // the line shows it
	FromConfig  How = "config"  // a [[sender]] entry
	FromTag     How = "tag"     // the syslog tag holds the address
	FromLearned How = "learned" // receivers quote it in their refusals
	Unknown     How = "unknown" // shown as host/tag
)

// Source is the answer for an origin.
type Source struct {
	Name string // the address; a pool's name; "host/tag" where unknown
	How  How
	Pool bool
}

// Resolver answers for one configuration and one state of learning.
type Resolver struct {
	rules   []Rule
	learned lessons
}

// place is the part of an origin that one source address may belong to.
type place struct{ host, tag, transport string }

// New returns a resolver. Quotes may be nil.
func New(rules []Rule, quotes []Quote) *Resolver {
	return &Resolver{rules: rules, learned: learn(rules, quotes)}
}

// Resolve tells which sending IP an origin stands for. The order: the line
// itself, the configuration, the tag, what was learned. It never guesses.
func (r *Resolver) Resolve(o Origin) Source {
	if ip, err := netip.ParseAddr(o.LocalIP); err == nil && usable(ip) {
		return Source{Name: ip.Unmap().String(), How: FromLine}
	}
	for i := range r.rules {
		if !r.rules[i].matches(&o) {
			continue
		}
		if p := r.rules[i].Pool; p != "" {
			return Source{Name: p, How: FromConfig, Pool: true}
		}
		return Source{Name: r.rules[i].IP.String(), How: FromConfig}
	}
	if ip, ok := inTag(o.Tag); ok {
		return Source{Name: ip.String(), How: FromTag}
	}
	if ip, ok := r.learned.find(&o); ok {
		return Source{Name: ip.String(), How: FromLearned}
	}
	return Source{Name: unknownName(o), How: Unknown}
}

func unknownName(o Origin) string {
	name := o.Host + "/" + o.Tag
	if o.Transport != "" {
		name += "/" + o.Transport
	}
	return name
}

// inTag finds an address in a tag: "postfix-203.0.113.9" and
// "mta-203.0.113.9" are how operators write it.
func inTag(tag string) (netip.Addr, bool) {
	for part := range strings.SplitSeq(tag, "/") {
		for from := 0; from >= 0 && from < len(part); {
			if ip, err := netip.ParseAddr(part[from:]); err == nil && usable(ip) {
				return ip, true
			}
			next := strings.IndexByte(part[from:], '-')
			if next < 0 {
				break
			}
			from += next + 1
		}
	}
	return netip.Addr{}, false
}

// usable leaves out addresses that can't be a sending IP as a receiver sees
// it: loopback and unspecified ones. Private ones stay: behind NAT they still
// tell sources apart.
func usable(ip netip.Addr) bool {
	return ip.IsValid() && !ip.IsLoopback() && !ip.IsUnspecified() && !ip.IsMulticast()
}
