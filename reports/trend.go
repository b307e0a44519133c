package reports

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"repute/delivery"
)

// trend is the card of one receiver: the pair with the gravest news is drawn
// with its interval, the others as faint lines.
type trend struct {
	ID       string
	Receiver delivery.Receiver
	Main     *Pair
	Others   []*Pair
	Falls    []*Change // of the main pair
	Big      bool
	Describe string // for those who don't see the chart
}

const maxTrends = 12

// newTrends makes a card for each receiver, the gravest first.
func newTrends(f *Findings) []trend {
	var out []trend
	index := map[string]int{}
	for i := range f.Pairs { // pairs come gravest first
		p := &f.Pairs[i]
		j, ok := index[p.Receiver.ID]
		if !ok {
			if len(out) == maxTrends {
				continue
			}
			j = len(out)
			index[p.Receiver.ID] = j
			out = append(out, trend{ID: "chart-trend-" + slug(p.Receiver.ID), Receiver: p.Receiver, Main: p})
			continue
		}
		if len(out[j].Others) < 12 {
			out[j].Others = append(out[j].Others, p)
		}
	}
	for i := range out {
		t := &out[i]
		t.Big = i == 0 && t.Main.Fall != nil
		for k := range f.Changes {
			if c := &f.Changes[k]; c.IP == t.Main.IP && c.Receiver.ID == t.Receiver.ID && c.Drop > 0 {
				t.Falls = append(t.Falls, c)
			}
		}
		t.Describe = t.describe()
	}
	return out
}

func (t *trend) describe() string {
	p := t.Main
	s := fmt.Sprintf("%s: score of %s by day", t.Receiver.Name, p.IP)
	if p.Unknown {
		return s + fmt.Sprintf("; not known at the end, needs about %d more first outcomes.", p.Needs)
	}
	s += fmt.Sprintf("; %.0f at the end, 80 %% interval %.0f to %.0f.", p.Score, p.Lo, p.Hi)
	for _, c := range t.Falls {
		s += fmt.Sprintf(" Fell from %.0f to %.0f on %s (%s).", c.Before, c.After, day(c.Since), causeWord(c.Cause))
	}
	return s
}

// slug makes a receiver's id fit for an element's id.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(s))
}

// The colours are names that the page's script replaces by those of the
// scheme in use: light, dark or print.
const (
	colourMain, colourOther, colourInk, colourLine, colourMuted = "--hl", "--faint", "--ink", "--line", "--mut"
)

// options builds the chart. Only dates, numbers and our own words go in;
// sending IPs and receivers stand in the card's heading, outside the chart.
func (t *trend) options(f *Findings) (map[string]any, error) {
	line := charts.NewLine()
	days := make([]string, len(f.Period.Days))
	for i, d := range f.Period.Days {
		days[i] = d.Format("2 Jan")
	}
	line.SetXAxis(days)
	off, on := opts.Bool(false), opts.Bool(true)
	line.SetGlobalOptions(
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: off}),
		charts.WithGridOpts(opts.Grid{Left: "30", Right: "44", Top: "26", Bottom: "24"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: on, Trigger: "axis"}),
		charts.WithXAxisOpts(opts.XAxis{
			AxisLabel: &opts.AxisLabel{Color: colourMuted, FontSize: 12}, AxisLine: &opts.AxisLine{LineStyle: &opts.LineStyle{Color: colourLine}},
			AxisTick: &opts.AxisTick{Show: off},
		}),
		charts.WithYAxisOpts(opts.YAxis{
			Min: 0, Max: 100, SplitNumber: 5, AxisLabel: &opts.AxisLabel{Color: colourMuted, FontSize: 12},
			SplitLine: &opts.SplitLine{Show: on, LineStyle: &opts.LineStyle{Color: colourLine}},
		}),
	)
	for i, p := range t.Others {
		t.addLine(line, fmt.Sprintf("other %d", i+1), p, f, colourOther, 1)
	}
	main := colourInk
	if len(t.Falls) > 0 {
		main = colourMain
	}
	t.addBand(line, f, main)
	t.addLine(line, "score", t.Main, f, main, 2.2)
	line.Validate()
	return t.finish(line.JSON(), f, main)
}

// values are a pair's points by the period's days; "-", which ECharts leaves
// open, where there is none, and with known where it is unknown.
func values(p *Pair, f *Findings, known bool, of func(*Point) float64) []opts.LineData {
	out := make([]opts.LineData, len(f.Period.Days))
	for i, d := range f.Period.Days {
		out[i].Value = "-"
		k := slices.IndexFunc(p.Trend, func(q Point) bool { return q.Day.Equal(d) })
		if k >= 0 && !(known && p.Trend[k].Unknown) {
			out[i].Value = float64(int(of(&p.Trend[k])*10+0.5)) / 10
		}
	}
	return out
}

func (t *trend) addLine(line *charts.Line, name string, p *Pair, f *Findings, colour string, width float32) {
	line.AddSeries(name, values(p, f, true, func(q *Point) float64 { return q.Score }),
		charts.WithLineChartOpts(opts.LineChart{Symbol: "none", ConnectNulls: opts.Bool(false)}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: colour, Width: width}),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: colour}))
}

// addBand draws the interval: a line without ink at its lower end, and the
// width above it stacked on it.
func (t *trend) addBand(line *charts.Line, f *Findings, colour string) {
	stacked := opts.LineChart{Symbol: "none", Stack: "band"}
	line.AddSeries("low", values(t.Main, f, false, func(q *Point) float64 { return q.Lo }),
		charts.WithLineChartOpts(stacked), charts.WithLineStyleOpts(opts.LineStyle{Opacity: opts.Float(0), Color: colour}))
	line.AddSeries("width", values(t.Main, f, false, func(q *Point) float64 { return q.Hi - q.Lo }),
		charts.WithLineChartOpts(stacked), charts.WithLineStyleOpts(opts.LineStyle{Opacity: opts.Float(0), Color: colour}),
		charts.WithAreaStyleOpts(opts.AreaStyle{Color: colour, Opacity: opts.Float(0.17)}))
}

// finish turns the options into plain JSON and adds what the library has no
// field for: the mark of a fall, the line at 80, the label at the line's end.
func (t *trend) finish(o map[string]any, f *Findings, colour string) (map[string]any, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, err
	}
	plain["tooltip"] = map[string]any{"show": false}
	series, _ := plain["series"].([]any)
	if len(series) == 0 {
		return plain, nil
	}
	score, _ := series[len(series)-1].(map[string]any)
	score["endLabel"] = map[string]any{"show": true, "color": colour, "fontWeight": 650, "formatter": "{c}", "distance": 6}
	marks := []any{map[string]any{
		"yAxis": 80, "lineStyle": map[string]any{"color": colourOther, "type": "dotted"}, "label": map[string]any{"show": false},
	}}
	for _, c := range t.Falls {
		marks = append(marks, map[string]any{
			"xAxis": c.Since.Format("2 Jan"), "lineStyle": map[string]any{"color": colourInk, "type": "dashed"},
			"label": map[string]any{
				"show": true, "color": colourInk, "fontSize": 12, "position": "end",
				"formatter": fmt.Sprintf("%s, %s, %.0f → %.0f", c.Since.Format("2 Jan"), causeWord(c.Cause), c.Before, c.After),
			},
		})
	}
	score["markLine"] = map[string]any{"silent": true, "symbol": "none", "data": marks, "animation": false}
	return plain, nil
}
