package page

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"repute/delivery"
)

// reasons are why mail was not accepted at once, by day.
type reasons struct {
	Title, Describe string
	Kinds           []reasonKind
	Days            []reasonDay // of the period
}

// reasonKind is a layer of the chart; its class is a0 to a4.
type reasonKind struct {
	Class, Name string
	of          func(*delivery.Counts) uint32
}

type reasonDay struct {
	Day   time.Time
	Rates []float64 // of each kind, per 1,000 first outcomes
}

// kinds are from the bottom up: what counts in a score, what tells of our
// sending, what says nothing.
func kinds(b *builder) []reasonKind {
	return []reasonKind{
		{"a0", b.w.Say("reasons.refused"), func(c *delivery.Counts) uint32 { return c.RejectPolicy + c.RejectGeneric }},
		{"a1", b.w.Say("reasons.deferred"), func(c *delivery.Counts) uint32 { return c.DeferPolicy + c.DeferSlow }},
		{"a2", b.w.Say("reasons.sending"), func(c *delivery.Counts) uint32 { return c.Throttled + c.Content + c.Config }},
		{"a3", b.w.Say("reasons.recipients"), func(c *delivery.Counts) uint32 { return c.UnknownUser + c.MailboxFull }},
		{"a4", b.w.Say("reasons.outside"), func(c *delivery.Counts) uint32 { return c.Greylisted + c.DeferQuick + c.Connection + c.Other }},
	}
}

const reasonsChart = "chart-reasons"

func reasonsPanel(b *builder) any {
	if len(b.Daily) == 0 {
		return nil
	}
	p := &reasons{Kinds: kinds(b)}
	line := charts.NewLine()
	line.SetXAxis(dayLabels(b))
	line.SetGlobalOptions(frame(16)...)
	line.SetGlobalOptions(charts.WithYAxisOpts(opts.YAxis{
		Min: 0, AxisLabel: &opts.AxisLabel{Color: colourMuted, FontSize: 12},
		SplitLine: &opts.SplitLine{Show: opts.Bool(true), LineStyle: &opts.LineStyle{Color: colourLine}},
	}))
	for _, k := range p.Kinds {
		data := make([]opts.LineData, len(b.Daily))
		for i := range b.Daily {
			data[i].Value = "-"
			if rate, ok := perThousand(&b.Daily[i], k); ok {
				data[i].Value = rate
			}
		}
		line.AddSeries(k.Name, data,
			charts.WithLineChartOpts(opts.LineChart{Symbol: "none", Stack: "reasons", ConnectNulls: opts.Bool(true)}),
			charts.WithLineStyleOpts(opts.LineStyle{Width: 0, Color: "--" + k.Class}), charts.WithItemStyleOpts(opts.ItemStyle{Color: "--" + k.Class}),
			charts.WithAreaStyleOpts(opts.AreaStyle{Color: "--" + k.Class, Opacity: opts.Float(1)}))
	}
	line.Validate()
	b.charts[reasonsChart] = plain(line.JSON())
	p.days(b)
	p.words(b)
	return p
}

// fewOutcomes is how many first outcomes a day needs for a rate.
const fewOutcomes = 30

// perThousand is the rate of a kind; ok is false on a day with too little mail.
func perThousand(c *delivery.Counts, k reasonKind) (rate float64, ok bool) {
	n := c.First()
	if n < fewOutcomes {
		return 0, false
	}
	return math.Round(10000*float64(k.of(c))/float64(n)) / 10, true
}

func (p *reasons) days(b *builder) {
	for i, d := range b.Period.Trend {
		if d.Before(b.Period.From) || b.Daily[i].First() < fewOutcomes {
			continue
		}
		row := reasonDay{Day: d}
		for _, k := range p.Kinds {
			rate, _ := perThousand(&b.Daily[i], k)
			row.Rates = append(row.Rates, rate)
		}
		p.Days = append(p.Days, row)
	}
}

// A rate that moves less is called steady.
const steadyRate, steadyFactor = 3.0, 1.5

func (p *reasons) words(b *builder) {
	if len(p.Days) == 0 {
		p.Title = b.w.Say("reasons.none")
		return
	}
	first, last := &p.Days[0], &p.Days[len(p.Days)-1]
	before, after := first.Rates[0]+first.Rates[1], last.Rates[0]+last.Rates[1]
	mean := 0.0
	for i := range p.Days {
		mean += (p.Days[i].Rates[0] + p.Days[i].Rates[1]) / float64(len(p.Days))
	}
	switch {
	case mean == 0:
		p.Title = b.w.Say("reasons.none")
	case math.Abs(after-before) < steadyRate || max(before, after) < steadyFactor*min(before, after):
		p.Title = b.w.Say("reasons.flat", "n", math.Ceil(mean))
	default:
		p.Title = b.w.Say("reasons.rose", "before", before, "after", after, "first", first.Day, "last", last.Day)
	}
	var list []string
	for i, k := range p.Kinds {
		list = append(list, b.w.Say("reasons.describe_one", "name", k.Name, "first", first.Rates[i], "last", last.Rates[i]))
	}
	p.Describe = b.w.Say("reasons.describe", "list", strings.Join(list, "; "))
	slices.Reverse(p.Kinds) // as they lie on each other
	for i := range p.Days {
		slices.Reverse(p.Days[i].Rates)
	}
}
