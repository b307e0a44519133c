package reports

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed assets
var assets embed.FS

// HTML prints the report as one page that loads nothing from anywhere: style,
// script and data are inside, and a Content-Security-Policy by hash lets
// nothing else run.
func HTML(w io.Writer, f *Findings) error {
	v, err := newView(f)
	if err != nil {
		return err
	}
	t, err := template.New("page.html").Funcs(functions()).ParseFS(assets, "assets/page.html")
	if err != nil {
		return err
	}
	var page bytes.Buffer // a page is whole or not there
	if err := t.Execute(&page, v); err != nil {
		return err
	}
	_, err = page.WriteTo(w)
	return err
}

// view is what the template prints.
type view struct {
	*Findings
	Title   string
	CSP     string
	Style   template.CSS
	Library template.JS
	Script  template.JS
	Charts  template.JS // options by chart id, JSON with <, > and & escaped
	Lead    []string
	Heat    heat
	Trends  []trend
}

func newView(f *Findings) (*view, error) {
	style, script, library := asset("page.css"), asset("page.js"), asset("echarts.min.js")
	v := &view{
		Findings: f, Style: template.CSS(style), Library: template.JS(library), Script: template.JS(script),
		Title: "Sender reputation, " + f.Period.From.Format("2 January") + " to " + f.Period.To.AddDate(0, 0, -1).Format("2 January 2006"),
		CSP: fmt.Sprintf("default-src 'none'; style-src %s; script-src %s %s; img-src data:; base-uri 'none'; form-action 'none'",
			hash(style), hash(library), hash(script)),
		Lead: lead(f), Heat: newHeat(f), Trends: newTrends(f),
	}
	options := map[string]any{}
	for i := range v.Trends {
		o, err := v.Trends[i].options(f)
		if err != nil {
			return nil, err
		}
		options[v.Trends[i].ID] = o
	}
	b, err := json.Marshal(options) // encoding/json escapes <, > and &
	v.Charts = template.JS(b)
	return v, err
}

func asset(name string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the binary lacks a file it was built with
	}
	return string(b)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// lead is what changed, in three sentences at most.
func lead(f *Findings) []string {
	var out []string
	told := map[string]bool{}
	for i := range f.Changes {
		c := &f.Changes[i]
		key := c.Receiver.ID + c.IP
		if c.Cause != "private" {
			key = c.Cause + c.Entity
		}
		if c.Drop <= 0 || told[key] || len(out) == 2 {
			continue
		}
		told[key] = true
		out = append(out, sentence(c))
	}
	if len(out) == 0 {
		out = append(out, "No receiver changed its treatment of any sending IP in this period.")
	}
	return append(out, summary(f))
}

// summary is the last sentence of the lead: how the other pairs are.
func summary(f *Findings) string {
	steady, back := 0, 0
	for i := range f.Pairs {
		p := &f.Pairs[i]
		switch {
		case p.Unknown:
		case p.Fall == nil:
			steady++
		case p.Recovered:
			back++
		}
	}
	s := fmt.Sprintf("Of %s, %d stayed in their usual range", plural(len(f.Pairs), "pair", "pairs"), steady)
	if back > 0 {
		s += fmt.Sprintf(", %d fell and came back", back)
	}
	if f.Coverage.Unknown > 0 {
		s += fmt.Sprintf(", and %d are not known yet", f.Coverage.Unknown)
	}
	return s + "."
}

func functions() template.FuncMap {
	return template.FuncMap{
		"thousands": func(n any) string { return thousands(toInt(n)) },
		"day":       day, "cause": causeWord, "reason": reasonSentence, "number": func(x float64) string { return fmt.Sprintf("%.0f", x) },
		"shade": func(x float64) string { return fmt.Sprintf("q%d", min(max(int(x/5), 0), 20)) },
		"delta": func(p any) string { return deltaOf(p) },
		"head":  func(a *Action) string { h, _ := actionWords(a); return h },
		"text":  func(a *Action) string { _, t := actionWords(a); return t },
		"reply": func(q Quote) string { return reply(&q) }, "percent": func(a, b any) string { return percent(toInt(a), toInt(b)) }, "list": list,
		"minus":     func(x float64) string { return strings.ReplaceAll(fmt.Sprintf("%.0f", x), "-", "−") },
		"bar":       func(lo, hi float64) bar { return bar{lo, max(hi-lo, 2)} },
		"heatTitle": heatTitle,
		// A narrow head breaks behind a dot or a slash, not inside a word.
		"soft":   func(s string) string { return strings.NewReplacer(".", ".\u200b", "/", "/\u200b").Replace(s) },
		"action": func(a Action) *Action { return &a },
	}
}

// heatTitle is the map's finding.
func heatTitle(f *Findings) string {
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
		return "No fall at any receiver"
	case fell == 0:
		return plural(back, "fall", "falls") + ", all recovered"
	case back == 0:
		return plural(fell, "fall", "falls") + ", none recovered yet"
	}
	return fmt.Sprintf("%s, %d more recovered", plural(fell, "fall", "falls"), back)
}

// deltaOf takes a pair or a pointer to one: ranges yield both.
func deltaOf(p any) string {
	switch p := p.(type) {
	case *Pair:
		return delta(p.Score, p.Week)
	case Pair:
		return delta(p.Score, p.Week)
	}
	return ""
}

type bar struct{ X, Width float64 }

func toInt(n any) int64 {
	switch v := n.(type) {
	case int:
		return int64(v)
	case int64:
		return v
	case uint32:
		return int64(v)
	}
	return 0
}

func percent(a, b int64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100*float64(a)/float64(b))
}

// heat is the map of sending IPs (rows) and receivers (columns).
type heat struct {
	Receivers []string
	Rows      []heatRow
	More      int // IPs left out
}

// Columns is the number of the table's columns.
func (h heat) Columns() int { return len(h.Receivers) + 1 }

type heatRow struct {
	IP, Network string
	Head, Tail  string // of IP: a phone shows the last part alone, under the network's name
	NewNetwork  bool
	Cells       []*Pair // nil: no mail
}

const heatIPs, heatReceivers = 24, 10

// newHeat keeps the receivers and IPs with the gravest news, then those with
// most mail.
func newHeat(f *Findings) heat {
	var receivers, ips []string
	names := map[string]string{}
	cells := map[[2]string]*Pair{}
	weight := map[string]float64{}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		cells[[2]string{p.IP, p.Receiver.ID}] = p
		if _, ok := names[p.Receiver.ID]; !ok {
			names[p.Receiver.ID] = p.Receiver.Name
			receivers = append(receivers, p.Receiver.ID)
		}
		if !slices.Contains(ips, p.IP) {
			ips = append(ips, p.IP)
		}
		news := float64(p.Evidence) / 1e6
		if p.Fall != nil {
			news += p.Fall.Drop
		}
		weight["r"+p.Receiver.ID] += news
		weight["i"+p.IP] += news
	}
	byNews := func(kind string) func(a, b string) int {
		return func(a, b string) int {
			if wa, wb := weight[kind+a], weight[kind+b]; wa != wb {
				if wa > wb {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		}
	}
	slices.SortFunc(receivers, byNews("r"))
	slices.SortFunc(ips, byNews("i"))
	h := heat{More: max(0, len(ips)-heatIPs)}
	receivers, ips = receivers[:min(len(receivers), heatReceivers)], ips[:min(len(ips), heatIPs)]
	for _, r := range receivers {
		h.Receivers = append(h.Receivers, names[r])
	}
	for _, ip := range ips {
		row := heatRow{IP: ip, Tail: ip}
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
	slices.SortStableFunc(h.Rows, func(a, b heatRow) int { return strings.Compare(a.Network, b.Network) })
	for i := range h.Rows {
		h.Rows[i].NewNetwork = i == 0 || h.Rows[i].Network != h.Rows[i-1].Network
	}
	return h
}
