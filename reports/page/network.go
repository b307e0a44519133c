package page

import (
	"cmp"
	"slices"

	"repute/reports"
)

// maxNetworks bounds the rows, networkCells the IPs shown of one.
const maxNetworks, networkCells = 6, 6

// network shows what several of our IPs in one network have in common at one
// receiver.
type network struct {
	Title    string
	Receiver string
	Rows     []neighbours
}

type neighbours struct {
	Name  string
	Ours  int
	Cells []*reports.Pair
	More  int
	Part  float64 // mean of what the network adds, in points
	Sign  string  // what that means
}

// A network that takes as much from the score of two IPs is named.
const pullsFrom = -3

func networkPanel(b *builder) any {
	at := networkReceiver(b.Findings)
	if at == nil {
		return nil
	}
	p := &network{Receiver: at.Receiver.Name, Title: b.w.Say("network.none")}
	index := map[string]int{}
	known := map[string]int{}
	for i := range b.Pairs {
		q := &b.Pairs[i]
		if q.Receiver.ID != at.Receiver.ID || q.Network == "" {
			continue
		}
		k, ok := index[q.Network]
		if !ok {
			k = len(p.Rows)
			index[q.Network] = k
			p.Rows = append(p.Rows, neighbours{Name: q.Network})
		}
		row := &p.Rows[k]
		row.Ours++
		if !q.Unknown {
			row.Part += q.Parts.Network
			known[q.Network]++
		}
		if len(row.Cells) < networkCells {
			row.Cells = append(row.Cells, q)
		} else {
			row.More++
		}
	}
	for i := range p.Rows {
		row := &p.Rows[i]
		n := known[row.Name]
		row.Part /= float64(max(n, 1))
		switch {
		case n < 2:
			row.Sign = b.w.Say("network.one_ip")
		case row.Part <= pullsFrom:
			row.Sign = b.w.Say("network.shared")
		default:
			row.Sign = b.w.Say("network.no_sign")
		}
	}
	slices.SortStableFunc(p.Rows, func(x, y neighbours) int {
		return cmp.Or(cmp.Compare(x.Part, y.Part), cmp.Compare(x.Name, y.Name))
	})
	p.Rows = p.Rows[:min(len(p.Rows), maxNetworks)]
	if len(p.Rows) > 0 && p.Rows[0].Part <= pullsFrom && known[p.Rows[0].Name] > 1 {
		p.Title = b.w.Say("network.pulls", "network", p.Rows[0].Name, "receiver", p.Receiver)
	}
	if len(p.Rows) == 0 {
		return nil
	}
	return p
}

// networkReceiver is a pair at the receiver to show: where a neighbourhood
// fell, else where one weighs most.
func networkReceiver(f *reports.Findings) (at *reports.Pair) {
	for i := range f.Pairs {
		p := &f.Pairs[i]
		switch {
		case p.Network == "":
		case p.Fall != nil && p.Fall.Cause == "neighbourhood":
			return p
		case !p.Unknown && (at == nil || p.Parts.Network < at.Parts.Network):
			at = p
		}
	}
	return at
}
