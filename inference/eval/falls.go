package eval

import (
	"slices"
	"time"

	"repute/inference"
)

// Falls is how well falls of 20 points and more are found.
type Falls struct {
	N            int     // falls with mail in the two days after
	Found        float64 // share found within 14 days
	Delay        float64 // days, median
	FalsePerYear float64 // false alarms per pair-year
	Causes       int     // falls with 5 messages and more in the two days after
	OfAll        float64 // share of them whose first change in 4 days names the right cause
	OfNamed      float64 // the same, of those that have a change
}

// fall is a true one: within one block by 20 points, for two days, the first
// in ten days.
type fall struct {
	block int
	cause string // "" where no event explains it
	mail  int    // first outcomes that tell something, in two days
}

const (
	fallPoints = 20
	findDays   = 14
	quietDays  = 10
)

// falls lists the true falls of a pair that had mail before.
func (w *World) falls(i, k, first int) (out []fall) {
	s, last := w.smtp[i][k], -quietDays*blocks
	for b := settle * blocks; b < w.Days*blocks-3*blocks; b++ {
		if s[b] > s[b-1]-fallPoints || b-last < quietDays*blocks || first > b-2*blocks {
			continue
		}
		stays := true
		f := fall{block: b}
		for q := b; q < b+2*blocks; q++ {
			stays = stays && s[q] <= s[b-1]-fallPoints+5
			f.mail += int(w.evidence[i][k][q])
		}
		if !stays {
			continue
		}
		last = b
		size := 0.0
		for e := range w.events {
			if v := &w.events[e]; v.from == b && v.size > size && w.hit(v, i, k) {
				f.cause, size = v.cause, v.size
			}
		}
		out = append(out, f)
	}
	return out
}

// alarm is a change as an estimator tells it.
type alarm struct {
	block int // in which it was noticed
	cause string
	fall  bool
}

// blockOf is the block that ended when a change was noticed.
func blockOf(t time.Time) int {
	return int((t.Unix()-start+blockHours*3600-1)/(blockHours*3600)) - 1
}

// count adds what one pair's alarms found to the sums.
type fallCount struct {
	falls, found, causes, named, right, falseOnes, pairs int
	delays                                               []float64
}

func (c *fallCount) add(w *World, i, k, first int, alarms []alarm) {
	c.pairs++
	falls := w.falls(i, k, first)
	for _, f := range falls {
		if f.mail == 0 {
			continue
		}
		c.falls++
		if a := firstIn(alarms, f.block, f.block+findDays*blocks, true); a != nil {
			c.found++
			c.delays = append(c.delays, float64(a.block-f.block+1)/blocks)
		}
		if f.mail < 5 || f.cause == "" {
			continue
		}
		c.causes++
		if a := firstIn(alarms, f.block, f.block+4*blocks, false); a != nil {
			c.named++
			if a.cause == f.cause {
				c.right++
			}
		}
	}
	last := -quietDays * blocks
	for _, a := range alarms {
		if !a.fall || a.block < settle*blocks || a.block >= w.Days*blocks || a.block-last < quietDays*blocks {
			continue
		}
		last = a.block
		high := slices.Max(w.smtp[i][k][max(0, a.block-findDays*blocks) : a.block+1])
		near := slices.ContainsFunc(falls, func(f fall) bool { return a.block >= f.block && a.block < f.block+findDays*blocks })
		if high-w.smtp[i][k][a.block] < 15 && !near {
			c.falseOnes++
		}
	}
}

func firstIn(alarms []alarm, from, to int, fallOnly bool) *alarm {
	for i := range alarms {
		if a := &alarms[i]; a.block >= from && a.block < to && (a.fall || !fallOnly) {
			return a
		}
	}
	return nil
}

func (c *fallCount) result(w *World) Falls {
	f := Falls{
		N: c.falls, Found: ratio(c.found, c.falls), Causes: c.causes, OfAll: ratio(c.right, c.causes), OfNamed: ratio(c.right, c.named),
		FalsePerYear: float64(c.falseOnes) / max(1e-9, float64(c.pairs)*float64(w.Days-settle)/365),
	}
	if len(c.delays) > 0 {
		slices.Sort(c.delays)
		f.Delay = c.delays[len(c.delays)/2]
	}
	return f
}

// reputation tells whether a cause speaks of a fall.
func reputation(c inference.Cause) bool {
	switch c {
	case inference.CauseIP, inference.CauseNeighbourhood, inference.CauseReceiver, inference.CausePrivate:
		return true
	}
	return false
}
