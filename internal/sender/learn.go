package sender

import "net/netip"

// Quote counts how often receivers quoted an address when they turned away
// mail of an origin ("Messages from 203.0.113.9 temporarily deferred").
type Quote struct {
	Origin Origin
	IP     netip.Addr
	Count  int64
}

// minQuotes is how often an address must be quoted before it is believed.
const minQuotes = 3

// learn maps each place to the one address that receivers quote for it. A
// place with two quoted addresses is contradicted, and stays unknown. Origins
// that the configuration covers don't teach: their place may be shared.
func learn(rules []Rule, quotes []Quote) map[place]netip.Addr {
	counts := map[place]map[netip.Addr]int64{}
	for _, q := range quotes {
		if configured(rules, &q.Origin) || q.Origin.LocalIP != "" || !usable(q.IP) {
			continue
		}
		p := place{q.Origin.Host, q.Origin.Tag, q.Origin.Transport}
		if counts[p] == nil {
			counts[p] = map[netip.Addr]int64{}
		}
		counts[p][q.IP.Unmap()] += q.Count
	}
	learned := map[place]netip.Addr{}
	for p, ips := range counts {
		if len(ips) != 1 {
			continue
		}
		for ip, n := range ips {
			if n >= minQuotes {
				learned[p] = ip
			}
		}
	}
	return learned
}

func configured(rules []Rule, o *Origin) bool {
	for i := range rules {
		if rules[i].matches(o) {
			return true
		}
	}
	return false
}
