package main

import (
	"fmt"
	"math"
	"sort"
	"strings"
)

// domain is one that mail goes to, with who takes its mail.
type domain struct {
	name   string
	weight float64 // running total
	host   *host
	mx     []string
}

type recipient struct {
	address, mx, ip string
	host            *host
}

var streams = []string{"news", "receipts", "alerts", "promo", "notify", "digest"}

var (
	locals = strings.Fields("yui hiroshi sato tanaka m.mueller anna.schmidt j.smith maria info sales contact office kenji emma lucas noah olivia li.wei chen.y pierre")
	tails  = strings.Fields("taro 1984 77 2003 x work mail jp london paris star moon 12 300 shop dev kun home ok zz")
)

// makeDomains makes well-known ones first, then a long tail (Zipf), of which
// four in ten are hosted by a large provider.
func (g *generator) makeDomains(n int) []domain {
	var all []domain
	total := 0.0
	add := func(name string, weight float64, h *host, mx ...string) {
		total += weight
		all = append(all, domain{name, total, h, mx})
	}
	for i := range hosts {
		for _, name := range hosts[i].own {
			add(name, hosts[i].weight/float64(len(hosts[i].own)), &hosts[i], hosts[i].mx...)
		}
	}
	share := total * 0.8 // the tail's mail against the well-known ones'
	norm := 0.0
	for k := len(all); k < n; k++ {
		norm += math.Pow(float64(k), -0.9)
	}
	for k := len(all); k < n; k++ {
		name := fmt.Sprintf("%s-%s%d.example", g.pick(nouns), g.pick(nouns), k)
		h, mx := &generic, []string{"mx1." + name, "mx2." + name}
		if g.r.IntN(10) < 4 {
			h = &hosts[g.r.IntN(2)]
			mx = h.mx
			if strings.Contains(h.mx[0], "outlook") {
				mx = []string{strings.ReplaceAll(name, ".", "-") + ".mail.protection.outlook.com"}
			}
		}
		add(name, share/norm*math.Pow(float64(k), -0.9), h, mx...)
	}
	return all
}

var nouns = strings.Fields("aoba minato fuji kita yama river stone north paper cloud green bright delta harbor maple orbit quartz silver timber violet")

func (g *generator) recipient() recipient {
	x := g.r.Float64() * g.domains[len(g.domains)-1].weight
	i := sort.Search(len(g.domains), func(i int) bool { return g.domains[i].weight > x })
	d := &g.domains[i]
	mx := g.pick(d.mx)
	return recipient{
		address: fmt.Sprintf("%s%s%d@%s", g.pick(locals), g.pick(tails), g.r.IntN(2000), d.name),
		mx:      mx, ip: fmt.Sprintf("198.51.100.%d", 1+(len(mx)*7+g.r.IntN(8))%250), host: d.host,
	}
}

func (g *generator) pick(from []string) string { return from[g.r.IntN(len(from))] }
