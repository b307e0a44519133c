package analysis

import (
	"context"
	"slices"
	"time"

	"repute/inference"
	"repute/internal/store"
)

// Live infers again and again while evidence comes in. It keeps the model as
// it was at the last midnights and goes on from there: a line of today costs
// what today's lines cost. What changes the past (a late line, an origin whose
// sending IP was learnt) is noticed, and the model begins further back. The
// zero value is ready; other rules or another configuration need a new one.
type Live struct {
	kept []midnight // the latest first
}

// midnights is how many are kept: outcomes of yesterday and of the day before
// are corrected often, since mail is tried again for days.
const midnights = 3

// midnight is a model's state at the start of a day, and what it was made from.
type midnight struct {
	next  time.Time // the day
	past  store.Past
	names string // the basis that origins, receivers and signals make
	state []byte
}

// Run gives the estimates of the last day with evidence, and all changes, the
// same as [Analysis.RunSince]. It is not safe for concurrent use.
func (l *Live) Run(ctx context.Context, a *Analysis) (Result, error) {
	var r Result
	_, last, err := a.Span(ctx)
	if err != nil {
		return r, err
	}
	signals, err := a.folderSignals(ctx)
	if err != nil {
		return r, err
	}
	named := &states{Analysis: a, signals: signals}
	g, err := l.begin(ctx, named, last)
	if err != nil {
		return r, err
	}
	var passed []midnight
	for day := last.AddDate(0, 0, 1-midnights); !day.After(last); day = day.AddDate(0, 0, 1) {
		if day.Unix() <= g.from {
			continue
		}
		past, err := a.store.Past(ctx, day.Unix())
		if err != nil {
			return r, err
		}
		passed = append(passed, midnight{next: day, past: past})
	}
	g.model.OnDayEnd(func(next time.Time) {
		for i := range passed {
			if passed[i].next.Equal(next) {
				passed[i].state = g.model.Snapshot()
			}
		}
	})
	for e, err := range g.model.Estimate(a.evidenceSince(ctx, g.from, false)) {
		if err != nil {
			return r, err
		}
		if !e.Day.Before(last) {
			r.Estimates = append(r.Estimates, e)
		}
	}
	r.Changes = g.model.Changes()
	if err := l.keep(ctx, named, passed); err != nil {
		return r, err
	}
	return r, g.end(ctx)
}

// begin returns a model as it was at the last midnight whose past is still the
// same; else one that begins further back.
func (l *Live) begin(ctx context.Context, named *states, last time.Time) (*begun, error) {
	for len(l.kept) > 0 {
		v := &l.kept[0]
		past, err := named.store.Past(ctx, v.next.Unix())
		if err != nil {
			return nil, err
		}
		m := inference.New(named.model)
		if !v.next.After(last) && past == v.past && v.names == named.namesAt(v) && m.Restore(v.state, v.next, named.signals) == nil {
			return &begun{model: m, from: v.next.Unix()}, nil
		}
		l.kept = l.kept[1:]
	}
	l.kept = nil
	return named.begin(ctx, last.AddDate(0, 0, 1-midnights))
}

// keep takes the midnights that a model passed, unless lines from before them
// came meanwhile, or some were left out for being newer than the dictionaries.
func (l *Live) keep(ctx context.Context, named *states, passed []midnight) error {
	for i := range passed {
		v := &passed[i]
		past, err := named.store.Past(ctx, v.next.Unix())
		if err != nil {
			return err
		}
		if v.state != nil && past == v.past && named.knows(past.Origin, past.Receiver, 0) {
			v.names = named.namesAt(v)
			l.kept = slices.Insert(l.kept, 0, *v)
		}
	}
	l.kept = l.kept[:min(len(l.kept), midnights)]
	return nil
}

// namesAt is what a midnight's origins, receivers and signals were.
func (s *states) namesAt(v *midnight) string {
	return s.basis(v.next, int(v.past.Origin), int(v.past.Receiver)).String()
}
