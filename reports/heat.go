package reports

import (
	"cmp"
	"slices"
	"strings"

	"repute/reports/words"
)

// Heat is the map of sending IPs (rows) and receivers (columns).
type Heat struct {
	Receivers     []string
	Rows          []HeatRow
	More          int // IPs left out
	MoreReceivers int
}

// HeatRow is a sending IP.
type HeatRow struct {
	IP, Network string
	Head, Tail  string // of IP: a phone shows the last part alone, under the network's name
	NewNetwork  bool
	Cells       []*Pair // nil: no mail
}

// Columns is the number of the table's columns.
func (h *Heat) Columns() int { return len(h.Receivers) + 1 }

// NewHeat keeps the receivers and IPs with the gravest news, then those with
// most mail.
func NewHeat(f *Findings, maxIPs, maxReceivers int) Heat {
	names := map[string]string{}
	cells := map[[2]string]*Pair{}
	ipNews, receiverNews := map[string]float64{}, map[string]float64{}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		cells[[2]string{p.IP, p.Receiver.ID}] = p
		names[p.Receiver.ID] = p.Receiver.Name
		news := float64(p.Evidence) / 1e6
		if p.Fall != nil {
			news += p.Fall.Drop
		}
		receiverNews[p.Receiver.ID] += news
		ipNews[p.IP] += news
	}
	receivers, ips := byNews(receiverNews), byNews(ipNews)
	h := Heat{More: max(0, len(ips)-maxIPs), MoreReceivers: max(0, len(receivers)-maxReceivers)}
	receivers, ips = receivers[:min(len(receivers), maxReceivers)], ips[:min(len(ips), maxIPs)]
	for _, r := range receivers {
		h.Receivers = append(h.Receivers, names[r])
	}
	for _, ip := range ips {
		row := HeatRow{IP: ip, Tail: ip}
		if i := strings.LastIndexAny(ip, ".:"); i > 0 && !strings.Contains(ip, "/") {
			row.Head, row.Tail = ip[:i], ip[i:]
		}
		for _, r := range receivers {
			p := cells[[2]string{ip, r}]
			row.Cells = append(row.Cells, p)
			if p != nil {
				row.Network = p.Network
			}
		}
		h.Rows = append(h.Rows, row)
	}
	slices.SortStableFunc(h.Rows, func(a, b HeatRow) int { return strings.Compare(a.Network, b.Network) })
	for i := range h.Rows {
		h.Rows[i].NewNetwork = i == 0 || h.Rows[i].Network != h.Rows[i-1].Network
	}
	return h
}

// byNews are the keys, most news first.
func byNews(news map[string]float64) []string {
	var keys []string
	for k := range news {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(news[b], news[a]), strings.Compare(a, b)) })
	return keys
}

// Title is the map's finding.
func (h *Heat) Title(f *Findings, w *words.Words) string {
	fell, back := 0, 0
	for i := range f.Pairs {
		switch {
		case f.Pairs[i].Fall == nil:
		case f.Pairs[i].Recovered:
			back++
		default:
			fell++
		}
	}
	switch {
	case fell == 0 && back == 0:
		return w.Say("heat.none")
	case fell == 0:
		return w.Say("heat.recovered", "falls", w.Count("count.falls", back))
	case back == 0:
		return w.Say("heat.open", "falls", w.Count("count.falls", fell))
	}
	return w.Say("heat.both", "falls", w.Count("count.falls", fell), "back", back)
}

// Course is how the sending IPs did at one receiver.
type Course struct {
	Main   *Pair // the one with the gravest news
	Others []*Pair
	Falls  []*Change // of the main pair
}

// maxOthers bounds the faint lines of a chart.
const maxOthers = 12

// Courses are those of the receivers, the gravest first, at most n; left is
// how many receivers there are beside.
func Courses(f *Findings, n int) (out []Course, left int) {
	index := map[string]int{}
	for i := range f.Pairs { // pairs come gravest first
		p := &f.Pairs[i]
		j, ok := index[p.Receiver.ID]
		switch {
		case !ok:
			index[p.Receiver.ID] = len(index)
			if len(out) < n {
				out = append(out, Course{Main: p, Falls: falls(f, p)})
			}
		case j < n && len(out[j].Others) < maxOthers:
			out[j].Others = append(out[j].Others, p)
		}
	}
	return out, len(index) - len(out)
}

func falls(f *Findings, p *Pair) (out []*Change) {
	for k := range f.Changes {
		if c := &f.Changes[k]; c.IP == p.IP && c.Receiver.ID == p.Receiver.ID && c.Drop > 0 {
			out = append(out, c)
		}
	}
	return out
}

// Describe says in words what the chart of a course shows.
func (c *Course) Describe(w *words.Words) string {
	p := c.Main
	args := []any{"receiver", p.Receiver.Name, "ip", p.IP, "score", p.Score, "lo", p.Lo, "hi", p.Hi, "n", p.Needs}
	if p.Unknown {
		return w.Say("trend.describe_unknown", args...)
	}
	s := w.Say("trend.describe", args...)
	for _, f := range c.Falls {
		s += w.Say("trend.describe_fall", "before", f.Before, "after", f.After, "since", f.Since, "cause", CauseWord(w, f.Cause))
	}
	return s
}
