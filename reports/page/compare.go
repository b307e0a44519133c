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

// comparison is all IPs at one receiver.
type comparison struct {
	ID       string
	Receiver delivery.Receiver
	Pairs    []*reports.Pair
	Unknown  int
}

type networkRow struct {
	Receiver string
	Cells    []*networkScore // nil: no pair with mail of its own
}

type networkScore struct{ Score float64 }

func comparePanel(b *builder) any {
	c := &compare{Period: b.Period}
	courses, _ := reports.Courses(b.Findings, compareReceivers)
	for i := range courses {
		r := courses[i].Main.Receiver
		one := comparison{ID: "at-" + slug(r.ID), Receiver: r}
		for k := range b.Pairs {
			switch p := &b.Pairs[k]; {
			case p.Receiver.ID != r.ID:
			case p.Unknown:
				one.Unknown++
			case len(one.Pairs) < compareIPs:
				one.Pairs = append(one.Pairs, p)
			}
		}
		if len(one.Pairs) > 1 {
			slices.SortStableFunc(one.Pairs, func(x, y *reports.Pair) int {
				return cmp.Or(cmp.Compare(x.Network, y.Network), cmp.Compare(x.IP, y.IP))
			})
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

// title says whether one IP stands apart: its interval is below that of every
// other.
func (c *comparison) title(b *builder) string {
	worst := slices.MinFunc(c.Pairs, func(x, y *reports.Pair) int { return cmp.Compare(x.Score, y.Score) })
	lowest, lo, hi := 100.0, 100.0, 0.0
	for _, p := range c.Pairs {
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
