package page

import (
	"math"

	"repute/reports"
	"repute/reports/words"
)

// latency is how long mail took, for the pair that each trend highlights.
type latency struct {
	Title string
	Rows  []delayRow
	Ticks []tick
}

type delayRow struct {
	reports.Delay
	Slow bool
	// Positions on the scale, in per cent.
	XHalf, XNine, XBefore float64
}

type tick struct {
	X       float64
	Name    string
	Between bool // left out where there is no room
}

// longest is the right end of the scale, in seconds.
const longest = 48 * 3600

// slowFrom is how many times slower than before nine in ten must be to be
// told, and at least a minute.
const slowFrom = 2

func latencyPanel(b *builder) any {
	courses, _ := reports.Courses(b.Findings, maxTrends)
	p := &latency{}
	var worst *delayRow
	slowest := 0.0
	for i := range courses {
		main := courses[i].Main
		for k := range b.Delays {
			d := &b.Delays[k]
			if d.IP != main.IP || d.Receiver.ID != main.Receiver.ID {
				continue
			}
			row := delayRow{Delay: *d, XHalf: position(d.Half), XNine: position(d.Nine), XBefore: position(d.Before)}
			row.Slow = d.Before > 0 && d.Nine > slowFrom*d.Before && d.Nine >= 60
			p.Rows = append(p.Rows, row)
			slowest = max(slowest, d.Nine)
		}
	}
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Slow && (worst == nil || r.Nine/r.Before > worst.Nine/worst.Before) {
			worst = r
		}
	}
	if len(p.Rows) == 0 {
		return nil
	}
	p.Title = b.w.Say("latency.usual", "time", duration(b.w, slowest))
	if worst != nil {
		p.Title = b.w.Say("latency.slow", "ip", worst.IP, "receiver", worst.Receiver.Name, "time", duration(b.w, worst.Nine))
	}
	for _, s := range []float64{1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600} {
		p.Ticks = append(p.Ticks, tick{position(s), duration(b.w, s), s != 1 && s != 60 && s != 3600})
	}
	return p
}

// position is a time's place on a logarithmic scale from 1 s, in per cent.
func position(seconds float64) float64 {
	if seconds < 1 {
		return 0
	}
	return math.Round(1000*min(1, math.Log(seconds)/math.Log(longest))) / 10
}

// duration prints seconds in the unit that fits.
func duration(w *words.Words, seconds float64) string {
	short := func(x float64) string { // 1.5, but 6 and 24
		if x >= 10 || x == math.Trunc(x) {
			return w.Number(x)
		}
		return w.Decimal(x, 1)
	}
	switch {
	case seconds < 10:
		return w.Say("latency.seconds", "n", short(seconds))
	case seconds < 90:
		return w.Say("latency.seconds", "n", seconds)
	case seconds < 90*60:
		return w.Say("latency.minutes", "n", seconds/60)
	}
	return w.Say("latency.hours", "n", short(seconds/3600))
}
