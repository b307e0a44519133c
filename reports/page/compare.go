package page

import (
	"cmp"
	"math"
	"slices"

	"repute/delivery"
	"repute/reports"
)

const (
	compareReceivers = 10
	compareIPs       = 24
	compareNetworks  = 6
)

// compare sets the sending IPs at one receiver side by side, and the networks
// at all of them.
type compare struct {
	Title     string
	Period    reports.Period
	Receivers []comparison
	Networks  []string
	Rows      []networkRow
}

// comparison is all IPs at one receiver; of those that are not known it shows
// the interval.
type comparison struct {
	ID       string
	Receiver delivery.Receiver
	Pairs    []*reports.Pair
}

type networkRow struct {
	Receiver string
	Cells    []*networkScore // nil: no pair with mail of its own
}

type networkScore struct{ Score float64 }

func comparePanel(b *builder) any {
	c := &compare{Period: b.Period}
	told := b.Told()
	for _, r := range comparedReceivers(b, told) {
		one := comparison{ID: "at-" + slug(r.ID), Receiver: r, Pairs: comparedPairs(b, r.ID, told)}
		if len(one.Pairs) > 1 {
			c.Receivers = append(c.Receivers, one)
		}
	}
	if len(c.Receivers) == 0 {
		return nil
	}
	c.Title = c.Receivers[0].title(b)
	c.networks(b)
	return c
}

// comparedReceivers are those that the headline speaks of, then the gravest.
func comparedReceivers(b *builder, told []*reports.Change) (out []delivery.Receiver) {
	seen := map[string]bool{}
	add := func(r delivery.Receiver) {
		if !seen[r.ID] && len(out) < compareReceivers {
			seen[r.ID] = true
			out = append(out, r)
		}
	}
	for _, c := range told {
		add(c.Receiver)
	}
	courses, _ := reports.Courses(b.Findings, compareReceivers)
	for i := range courses {
		add(courses[i].Main.Receiver)
	}
	return out
}

// comparedPairs are the pairs at a receiver: those that the headline speaks of,
// then the gravest, in the order of their addresses.
func comparedPairs(b *builder, receiver string, told []*reports.Change) (out []*reports.Pair) {
	spoken := map[string]bool{}
	for _, c := range told {
		spoken[c.IP] = spoken[c.IP] || c.Receiver.ID == receiver
	}
	var rest []*reports.Pair
	for i := range b.Pairs {
		switch p := &b.Pairs[i]; {
		case p.Receiver.ID != receiver:
		case spoken[p.IP]:
			out = append(out, p)
		default:
			rest = append(rest, p)
		}
	}
	out = append(out, rest[:min(len(rest), compareIPs-len(out))]...)
	slices.SortStableFunc(out, func(x, y *reports.Pair) int {
		return cmp.Or(cmp.Compare(x.Network, y.Network), cmp.Compare(x.IP, y.IP))
	})
	return out
}

// title says whether one known IP stands apart: its interval is below that of
// every other.
func (c *comparison) title(b *builder) string {
	known := slices.DeleteFunc(slices.Clone(c.Pairs), func(p *reports.Pair) bool { return p.Unknown })
	if len(known) < 2 {
		return b.w.Say("compare.alike", "receiver", c.Receiver.Name)
	}
	worst := slices.MinFunc(known, func(x, y *reports.Pair) int { return cmp.Compare(x.Score, y.Score) })
	lowest, lo, hi := 100.0, 100.0, 0.0
	for _, p := range known {
		if p != worst {
			lowest = min(lowest, p.Lo)
			lo, hi = min(lo, p.Score), max(hi, p.Score)
		}
	}
	if worst.Hi >= lowest {
		return b.w.Say("compare.alike", "receiver", c.Receiver.Name)
	}
	rest := reports.Number(lo)
	if reports.Number(hi) != rest {
		rest += "–" + reports.Number(hi)
	}
	return b.w.Say("compare.apart", "receiver", c.Receiver.Name, "ip", worst.IP, "score", worst.Score, "rest", rest)
}

// networks are means weighted by mail, of pairs with mail of their own.
func (c *compare) networks(b *builder) {
	type sum struct{ score, weight float64 }
	sums := map[[2]string]*sum{}
	mail := map[string]float64{}
	for i := range b.Pairs {
		p := &b.Pairs[i]
		if p.Unknown || p.Borrowed || p.Network == "" {
			continue
		}
		k := [2]string{p.Receiver.ID, p.Network}
		if sums[k] == nil {
			sums[k] = &sum{}
		}
		n := math.Max(1, float64(p.Counts.First()))
		sums[k].score += n * p.Score
		sums[k].weight += n
		mail[p.Network] += n
	}
	for name := range mail {
		c.Networks = append(c.Networks, name)
	}
	slices.SortFunc(c.Networks, func(x, y string) int { return cmp.Or(cmp.Compare(mail[y], mail[x]), cmp.Compare(x, y)) })
	c.Networks = c.Networks[:min(len(c.Networks), compareNetworks)]
	if len(c.Networks) < 2 {
		c.Networks = nil
		return
	}
	for i := range c.Receivers {
		r := c.Receivers[i].Receiver
		row := networkRow{Receiver: r.Name}
		for _, n := range c.Networks {
			var cell *networkScore
			if s := sums[[2]string{r.ID, n}]; s != nil {
				cell = &networkScore{s.score / s.weight}
			}
			row.Cells = append(row.Cells, cell)
		}
		c.Rows = append(c.Rows, row)
	}
}
