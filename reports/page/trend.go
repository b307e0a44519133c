package page

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"repute/reports"
)

// maxTrends bounds the cards; the other receivers are in the table.
const maxTrends = 12

// trends are the cards of the receivers, the gravest first.
type trends struct {
	Title  string
	Period reports.Period
	Week   bool // the trends begin before the period
	Cards  []trend
	More   int
}

// trend is one card: the pair with the gravest news is drawn with its
// interval, the others as faint lines.
type trend struct {
	reports.Course
	ID       string
	Big      bool
	Describe string // for those who don't see the chart
}

func trendPanel(b *builder) any {
	courses, more := reports.Courses(b.Findings, maxTrends)
	if len(courses) == 0 {
		return nil
	}
	p := &trends{More: more, Period: b.Period, Week: len(b.Period.Trend) > len(b.Period.Days), Title: b.w.Say("trend.none")}
	fell := 0
	for i := range courses {
		t := trend{Course: courses[i], ID: fmt.Sprintf("chart-trend-%d-%s", i+1, slug(courses[i].Main.Receiver.ID)), Describe: courses[i].Describe(b.w)}
		t.Big = i == 0 && t.Main.Fall != nil
		fell += len(t.Falls)
		if o := t.options(b); o != nil {
			b.charts[t.ID] = o
		}
		p.Cards = append(p.Cards, t)
	}
	if fell > 0 {
		p.Title = b.w.Count("trend.sudden", fell)
	}
	return p
}

// The colours are names that the page's script replaces by those of the
// scheme in use: light, dark or print.
const (
	colourMain, colourOther, colourInk, colourLine, colourMuted, colourWeek = "--hl", "--faint", "--ink", "--line", "--mut", "--wk"
)

// bad tells whether the card is drawn in the colour of bad news.
func (t *trend) bad() bool {
	return t.Main.Fall != nil && !t.Main.Recovered || !t.Main.Unknown && t.Main.Score < 50
}

// Calm is the card's look without bad news.
func (t *trend) Calm() bool { return !t.bad() }

// options builds the chart. Only dates, numbers and our own words go in;
// sending IPs and receivers stand in the card's heading, outside the chart.
func (t *trend) options(b *builder) map[string]any {
	line := charts.NewLine()
	line.SetXAxis(dayLabels(b))
	on := opts.Bool(true)
	line.SetGlobalOptions(frame(44)...)
	line.SetGlobalOptions(charts.WithYAxisOpts(opts.YAxis{
		Min: 0, Max: 100, SplitNumber: 5, AxisLabel: &opts.AxisLabel{Color: colourMuted, FontSize: 12},
		SplitLine: &opts.SplitLine{Show: on, LineStyle: &opts.LineStyle{Color: colourLine}},
	}))
	for i, p := range t.Others {
		addLine(line, fmt.Sprintf("other %d", i+1), p, colourOther, 1)
	}
	main := colourInk
	if t.bad() {
		main = colourMain
	}
	t.addBand(line, main)
	addLine(line, "score", t.Main, main, 2.2)
	line.Validate()
	return t.finish(plain(line.JSON()), b, main)
}

func dayLabels(b *builder) []string {
	days := make([]string, len(b.Period.Trend))
	for i, d := range b.Period.Trend {
		days[i] = b.w.Short(d)
	}
	return days
}

// frame is what the charts share.
func frame(right int) []charts.GlobalOpts {
	off := opts.Bool(false)
	return []charts.GlobalOpts{
		charts.WithAnimation(false),
		charts.WithLegendOpts(opts.Legend{Show: off}),
		charts.WithGridOpts(opts.Grid{Left: "34", Right: fmt.Sprint(right), Top: "26", Bottom: "24"}),
		charts.WithXAxisOpts(opts.XAxis{
			AxisLabel: &opts.AxisLabel{Color: colourMuted, FontSize: 12}, AxisLine: &opts.AxisLine{LineStyle: &opts.LineStyle{Color: colourLine}},
			AxisTick: &opts.AxisTick{Show: off},
		}),
	}
}

// plain turns the library's options into what encoding/json reads back.
func plain(options map[string]any) map[string]any {
	b, err := json.Marshal(options)
	if err != nil {
		return nil
	}
	var out map[string]any
	if json.Unmarshal(b, &out) != nil {
		return nil
	}
	return out
}

// values are a pair's points by day; "-", which ECharts leaves open, where
// there is none, and with known where it is unknown.
func values(p *reports.Pair, known bool, of func(*reports.Point) float32) []opts.LineData {
	out := make([]opts.LineData, len(p.Trend))
	for i := range p.Trend {
		q := &p.Trend[i]
		out[i].Value = "-"
		if q.State == reports.PointKnown || q.State == reports.PointUnknown && !known {
			out[i].Value = math.Round(float64(of(q))*10) / 10
		}
	}
	return out
}

func score(q *reports.Point) float32 { return q.Score }
func low(q *reports.Point) float32   { return q.Lo }
func width(q *reports.Point) float32 { return q.Hi - q.Lo }

func addLine(line *charts.Line, name string, p *reports.Pair, colour string, width float32) {
	line.AddSeries(name, values(p, true, score),
		charts.WithLineChartOpts(opts.LineChart{Symbol: "none", ConnectNulls: opts.Bool(false)}),
		charts.WithLineStyleOpts(opts.LineStyle{Color: colour, Width: width}),
		charts.WithItemStyleOpts(opts.ItemStyle{Color: colour}))
}

// addBand draws the interval: a line without ink at its lower end, and the
// width above it stacked on it.
func (t *trend) addBand(line *charts.Line, colour string) {
	stacked := opts.LineChart{Symbol: "none", Stack: "band"}
	line.AddSeries("low", values(t.Main, false, low),
		charts.WithLineChartOpts(stacked), charts.WithLineStyleOpts(opts.LineStyle{Opacity: opts.Float(0), Color: colour}))
	line.AddSeries("width", values(t.Main, false, width),
		charts.WithLineChartOpts(stacked), charts.WithLineStyleOpts(opts.LineStyle{Opacity: opts.Float(0), Color: colour}),
		charts.WithAreaStyleOpts(opts.AreaStyle{Color: colour, Opacity: opts.Float(0.17)}))
}

// finish adds what the library has no field for: the mark of a fall, the line
// at 80, the label at the line's end, the shade of the period.
func (t *trend) finish(o map[string]any, b *builder, colour string) map[string]any {
	series, _ := o["series"].([]any)
	if len(series) == 0 {
		return nil
	}
	last, _ := series[len(series)-1].(map[string]any)
	last["endLabel"] = map[string]any{"show": true, "color": colour, "fontWeight": 650, "formatter": reports.Number(t.Main.Score), "distance": 6}
	if t.Main.Unknown {
		delete(last, "endLabel")
	}
	marks := []any{map[string]any{
		"yAxis": 80, "lineStyle": map[string]any{"color": colourOther, "type": "dotted"}, "label": map[string]any{"show": false},
	}}
	for i, c := range t.Falls {
		label := map[string]any{"show": i == 0, "color": colourInk, "fontSize": 12, "position": "end", "align": "right", "formatter": b.w.Say("trend.mark",
			"since", b.w.Short(c.Since), "cause", reports.CauseWord(b.w, c.Cause), "before", c.Before, "after", c.After)}
		if 2*c.Since.Sub(b.Period.Trend[0]) < b.Period.To.Sub(b.Period.Trend[0]) {
			label["align"] = "left" // a label never leaves the chart
		}
		marks = append(marks, map[string]any{
			"xAxis": b.w.Short(c.Since), "lineStyle": map[string]any{"color": colourInk, "type": "dashed"}, "label": label,
		})
	}
	last["markLine"] = map[string]any{"silent": true, "symbol": "none", "data": marks, "animation": false}
	if len(b.Period.Trend) > len(b.Period.Days) {
		last["markArea"] = map[string]any{
			"silent": true, "itemStyle": map[string]any{"color": colourWeek},
			"data": []any{[]any{map[string]any{"xAxis": b.w.Short(b.Period.From)}, map[string]any{"xAxis": b.w.Short(b.Period.Last())}}},
		}
	}
	return o
}
