package eval

import (
	"fmt"
	"slices"
	"time"

	"repute/delivery"
	"repute/inference"
)

// Classes of pairs by mail a day; the first holds all.
var classes = [...]string{"all", ">=100/d", "10-100/d", "1-10/d", "<1/d"}

func classOf(perDay float64) int {
	switch {
	case perDay >= 100:
		return 1
	case perDay >= 10:
		return 2
	case perDay >= 1:
		return 3
	}
	return 4
}

// Figures are what is measured in one world, or over several.
type Figures struct {
	Level     string
	Seeds     []uint64
	Model     [len(classes)]Quality
	Raw, Beta Quality // the baselines, all pairs
	Full      Quality // the full score, with seeds
	Smoothed  Quality // as known at the end of the period
	Falls     [len(classes)]Falls
}

// Run judges the model of a configuration on the worlds of a level.
func Run(l Level, seeds []uint64, cfg inference.Config) Figures {
	j := newJury()
	for _, seed := range seeds {
		j.world(NewWorld(l, seed), cfg)
	}
	return j.figures(l, seeds)
}

// jury collects figures over worlds.
type jury struct {
	model     [len(classes)]tally
	raw, beta tally
	full      tally
	smoothed  tally
	falls     [len(classes)]fallCount
	last      *World
}

func newJury() *jury { return &jury{} }

func (j *jury) world(w *World, cfg inference.Config) {
	cfg.Zone = time.UTC
	m := inference.New(cfg)
	raw, beta := newRaw(), newBeta()
	index := map[pairKey][2]int{}
	for i := range w.IPs {
		for k := range w.Receivers {
			index[pairKey{w.ip(i), recvName(k)}] = [2]int{i, k}
		}
	}
	first := map[pairKey]int{}
	day := 0
	evidence := func(yield func(delivery.Evidence, error) bool) {
		for e, err := range w.Mail(func(s delivery.Signal) { m.AddSignals([]delivery.Signal{s}) }) {
			if d := int((e.Hour - start) / 86400); d > day {
				for ; day < d; day++ {
					j.baselines(w, day, raw, beta, index)
					raw.endDay()
					beta.endDay()
				}
			}
			key := pairKey{e.IP, e.Receiver}
			if _, ok := first[key]; !ok {
				first[key] = int(e.Hour-start) / (blockHours * 3600)
			}
			raw.add(&e)
			beta.add(&e)
			if !yield(e, err) {
				return
			}
		}
	}
	for e := range m.Estimate(evidence) {
		at := index[pairKey{e.IP, e.Receiver}]
		j.estimate(w, &e, at[0], at[1])
	}
	j.changes(w, m.Changes(), index, first)
	j.last = w
}

// baselines scores the pairs seen so far at the end of a day.
func (j *jury) baselines(w *World, day int, raw *rawRate, beta *betaBinomial, index map[pairKey][2]int) {
	if day < settle {
		return
	}
	for i := range w.IPs {
		for k := range w.Receivers {
			key := pairKey{w.ip(i), recvName(k)}
			truth := float64(w.smtp[i][k][day*blocks+blocks-1])
			if r, ok := beta.row(key); ok && w.active(i, day) {
				j.beta.add(r, truth)
				if r, ok := raw.row(key); ok {
					j.raw.add(r, truth)
				} else {
					j.raw.add(row{score: 80, lo: 0, hi: 100, lo95: 0, hi95: 100, unknown: true}, truth)
				}
			}
		}
	}
}

func (j *jury) estimate(w *World, e *inference.Estimate, i, k int) {
	day := int((e.Day.Unix() - start) / 86400)
	if day < settle || !w.active(i, day) {
		return
	}
	block := day*blocks + blocks - 1
	r := row{e.Score, e.Lo, e.Hi, e.Lo95, e.Hi95, e.Unknown}
	truth := float64(w.smtp[i][k][block])
	j.model[0].add(r, truth)
	j.model[classOf(w.volume[i][k])].add(r, truth)
	j.full.add(row{e.Full, e.FullLo, e.FullHi, e.FullLo, e.FullHi, e.FullHi-e.FullLo > 40}, float64(w.full[i][k][block]))
}

// changes judges what the model told of falls.
func (j *jury) changes(w *World, all []inference.Change, index map[pairKey][2]int, first map[pairKey]int) {
	alarms := map[pairKey][]alarm{}
	for _, c := range all {
		if c.IP == "" || c.Receiver == "" || c.Drop <= 0 {
			continue
		}
		k := pairKey{c.IP, c.Receiver}
		alarms[k] = append(alarms[k], alarm{blockOf(c.Noticed), string(c.Cause), reputation(c.Cause)})
	}
	for k, at := range index {
		b, ok := first[k]
		if !ok {
			continue
		}
		list := alarms[k]
		slices.SortStableFunc(list, func(a, b alarm) int { return a.block - b.block })
		j.falls[0].add(w, at[0], at[1], b, list)
		j.falls[classOf(w.volume[at[0]][at[1]])].add(w, at[0], at[1], b, list)
	}
}

func (j *jury) figures(l Level, seeds []uint64) Figures {
	f := Figures{Level: l.Name, Seeds: seeds, Raw: j.raw.quality(), Beta: j.beta.quality(), Full: j.full.quality(), Smoothed: j.smoothed.quality()}
	for c := range classes {
		f.Model[c] = j.model[c].quality()
		f.Falls[c] = j.falls[c].result(j.last)
	}
	return f
}

// Table is the figures as Markdown.
func (f *Figures) Table() string {
	s := fmt.Sprintf("### Level %s, seeds %v\n\n", f.Level, f.Seeds)
	s += "| | pair-days | RMSE | Spearman | cover 50/80/95 | width | unknown | band | S<80 precision/recall | log score |\n|---|---|---|---|---|---|---|---|---|---|\n"
	line := func(name string, q *Quality) {
		if q.N > 0 {
			s += fmt.Sprintf("| %s | %d | %.2f | %.3f | %.2f/%.2f/%.2f | %.1f | %.2f | %.3f | %.2f/%.2f | %.2f |\n", name, q.N, q.RMSE, q.Spearman,
				q.Cover50, q.Cover80, q.Cover95, q.Width, q.Unknown, q.Band, q.Precision, q.Recall, q.LogScore)
		}
	}
	for c, name := range classes {
		line("model, "+name, &f.Model[c])
	}
	line("model, smoothed", &f.Smoothed)
	line("model, full score", &f.Full)
	line("beta-binomial 7 d", &f.Beta)
	line("raw rate 7 d", &f.Raw)
	s += "\n| falls of 20 and more | n | found | delay, d | false per pair-year | cause: n | right of all | of named |\n|---|---|---|---|---|---|---|---|\n"
	for c, name := range classes {
		if g := f.Falls[c]; g.N > 0 {
			s += fmt.Sprintf("| %s | %d | %.2f | %.2f | %.2f | %d | %.2f | %.2f |\n", name, g.N, g.Found, g.Delay, g.FalsePerYear, g.Causes, g.OfAll, g.OfNamed)
		}
	}
	return s + "\n"
}
