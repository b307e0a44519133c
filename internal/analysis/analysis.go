// Package analysis asks the store, resolves which sending IP each origin
// stands for, runs the model, and hands over what was found.
package analysis

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/sender"
	"repute/internal/store"
	"repute/rules"
)

// Analysis is a store seen through a configuration.
type Analysis struct {
	store    *store.Store
	rules    *rules.Set
	model    inference.Config
	resolver *sender.Resolver

	origins   []store.Origin // by id − 1
	sources   []sender.Source
	receivers []delivery.Receiver // by id − 1
	domains   []string            // by id − 1

	until int64 // hours from here on are left out: their stamps are wrong
	ahead int64 // attempts that are left out so
}

// New loads the dictionaries of a store and resolves its origins. What is
// stamped later than tomorrow is left out; the zero time for now leaves
// nothing out.
func New(ctx context.Context, s *store.Store, set *rules.Set, senders []sender.Rule, m inference.Config, now time.Time) (*Analysis, error) {
	a := &Analysis{store: s, rules: set, model: m, until: everything}
	var err error
	if a.origins, err = s.Origins(ctx); err != nil {
		return nil, err
	}
	quotes, err := s.SenderQuotes(ctx, a.origins)
	if err != nil {
		return nil, err
	}
	a.resolver = sender.New(senders, quotes)
	for _, o := range a.origins {
		a.sources = append(a.sources, a.resolver.Resolve(o.Origin))
	}
	receivers, err := s.Receivers(ctx)
	if err != nil {
		return nil, err
	}
	for _, r := range receivers {
		a.receivers = append(a.receivers, set.ByID(r.Name))
	}
	domains, err := s.Domains(ctx)
	for _, d := range domains {
		a.domains = append(a.domains, d.Name)
	}
	return a, errors.Join(err, a.leaveOutFuture(ctx, now))
}

// leaveOutFuture lets one line whose clock was years ahead not move "today".
// Where all is of the future, it is our own clock that is wrong.
func (a *Analysis) leaveOutFuture(ctx context.Context, now time.Time) error {
	tomorrow := now.AddDate(0, 0, 1).Unix()
	first, last, err := a.store.Hours(ctx, everything)
	if err != nil || now.IsZero() || last < tomorrow || first >= tomorrow {
		return err
	}
	a.until = tomorrow
	a.ahead, err = a.store.AttemptsSince(ctx, tomorrow)
	return err
}

// Ahead is how many attempts are left out, since they are stamped later than
// tomorrow.
func (a *Analysis) Ahead() int64 { return a.ahead }

// source names the sending IP, pool or host/tag of an origin.
func (a *Analysis) source(origin int32) string { return a.sources[origin-1].Name }

// knows tells whether ids are of the dictionaries as they were loaded. The
// rows of what a follower committed since are left to the next analysis: it
// adds to the dictionaries before it refers to them.
func (a *Analysis) knows(origin, receiver, domain int32) bool {
	return int(origin) <= len(a.sources) && int(receiver) <= len(a.receivers) && int(domain) <= len(a.domains)
}

// everything is a range of hours that holds all evidence.
const everything = int64(1) << 40

// Evidence yields the hourly evidence with its sending IPs resolved, added up
// by (hour, IP, receiver, stream), in that order. With byDomain the recipient
// domain takes the receiver's place.
func (a *Analysis) Evidence(ctx context.Context, byDomain bool) iter.Seq2[delivery.Evidence, error] {
	return a.evidenceSince(ctx, -everything, byDomain)
}

// evidenceSince is Evidence from an hour on (Unix seconds).
func (a *Analysis) evidenceSince(ctx context.Context, from int64, byDomain bool) iter.Seq2[delivery.Evidence, error] {
	return func(yield func(delivery.Evidence, error) bool) {
		var hour []delivery.Evidence
		flush := func() bool {
			for _, e := range addUp(hour) {
				if !yield(e, nil) {
					return false
				}
			}
			hour = hour[:0]
			return true
		}
		for row, err := range a.store.Evidence(ctx, from, a.until, byDomain) {
			if err != nil {
				yield(delivery.Evidence{}, err)
				return
			}
			if !a.knows(row.Origin, row.Receiver, row.Domain) {
				continue
			}
			if len(hour) > 0 && hour[0].Hour != row.Hour && !flush() {
				return
			}
			hour = append(hour, a.resolve(&row, byDomain))
		}
		flush()
	}
}

func (a *Analysis) resolve(row *store.Evidence, byDomain bool) delivery.Evidence {
	e := delivery.Evidence{
		Hour: row.Hour, IP: a.source(row.Origin), Receiver: a.receivers[row.Receiver-1].ID,
		Stream: a.origins[row.Origin-1].Domain, Counts: row.Counts,
	}
	if byDomain {
		e.Domain = a.domains[row.Domain-1]
		e.Receiver = e.Domain
	}
	return e
}

// addUp sorts an hour's rows and adds up those of one key.
func addUp(rows []delivery.Evidence) []delivery.Evidence {
	slices.SortStableFunc(rows, func(a, b delivery.Evidence) int {
		return cmp.Or(cmp.Compare(a.IP, b.IP), cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Stream, b.Stream))
	})
	var out []delivery.Evidence
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].IP == r.IP && out[n-1].Receiver == r.Receiver && out[n-1].Stream == r.Stream {
			out[n-1].Add(&r.Counts)
			continue
		}
		out = append(out, r)
	}
	return out
}

// Result is what the model says of all evidence.
type Result struct {
	Estimates []inference.Estimate // by day, then in the order in which the pairs were first seen
	Changes   []inference.Change
}

// Run runs the model over all evidence in the store.
func (a *Analysis) Run(ctx context.Context, byDomain bool) (Result, error) {
	m := inference.New(a.model)
	var r Result
	if !byDomain {
		folders, err := a.folderSignals(ctx)
		if err != nil {
			return r, err
		}
		m.AddSignals(folders)
	}
	for e, err := range m.Estimate(a.Evidence(ctx, byDomain)) {
		if err != nil {
			return r, err
		}
		r.Estimates = append(r.Estimates, e)
	}
	r.Changes = m.Changes()
	return r, nil
}

// RunSince is Run for those who need no day before one; the zero time stands
// for the last with evidence. Days before it may be there or not.
func (a *Analysis) RunSince(ctx context.Context, day time.Time) (Result, error) {
	var r Result
	_, last, err := a.Span(ctx)
	if err != nil {
		return r, err
	}
	if day.IsZero() || last.Before(day) {
		day = last
	}
	g, err := a.begin(ctx, day)
	if err != nil {
		return r, err
	}
	for e, err := range g.model.Estimate(a.evidenceSince(ctx, g.from, false)) {
		if err != nil {
			return r, err
		}
		if !e.Day.Before(day) {
			r.Estimates = append(r.Estimates, e)
		}
	}
	r.Changes = g.model.Changes()
	return r, g.end(ctx)
}

// Receiver returns a receiver by its id.
func (a *Analysis) Receiver(id string) delivery.Receiver { return a.rules.ByID(id) }

// Span returns the first and the last day with evidence, in the model's zone;
// zero times if there is none.
func (a *Analysis) Span(ctx context.Context) (first, last time.Time, err error) {
	from, to, err := a.store.Hours(ctx, a.until)
	if err != nil || to == 0 {
		return first, last, err
	}
	day := func(hour int64) time.Time {
		t := time.Unix(hour, 0).In(a.model.Zone)
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, a.model.Zone)
	}
	return day(from), day(to), nil
}
