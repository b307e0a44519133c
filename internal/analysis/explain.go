package analysis

import (
	"context"
	"slices"
	"time"

	"repute/inference"
	"repute/reports"
)

// Explain fills one screen about one pair at the end of a day; a zero day is
// the last with evidence. ok is false where the pair never had any.
func (a *Analysis) Explain(ctx context.Context, ip, receiver string, day time.Time) (e *reports.Explanation, ok bool, err error) {
	if _, last, err := a.Span(ctx); err != nil || last.IsZero() {
		return nil, false, err
	} else if day.IsZero() {
		day = last
	}
	result, err := a.RunSince(ctx, day.AddDate(0, 0, -7))
	if err != nil || len(result.Estimates) == 0 {
		return nil, false, err
	}
	e = &reports.Explanation{IP: ip, Receiver: a.Receiver(receiver), Day: day}
	for i := range result.Estimates {
		if est := &result.Estimates[i]; est.Day.Equal(day) {
			ok = a.place(e, est, ip, receiver) || ok
		} else if est.IP == ip && est.Receiver == receiver && est.Day.Equal(day.AddDate(0, 0, -7)) {
			e.WeekBefore, e.KnownBefore = est.Score, !est.Unknown
		}
	}
	if !ok {
		return e, false, nil
	}
	a.lastChange(e, result.Changes, day)
	if e.Change != nil {
		spreadAt(day, result.Estimates, result.Changes).tell(e.Change)
	}
	if err := a.weekOf(ctx, e, day); err != nil {
		return nil, false, err
	}
	return e, true, nil
}

// place puts an estimate of the day where it belongs: the pair itself, the
// same IP elsewhere, another IP at the receiver.
func (a *Analysis) place(e *reports.Explanation, est *inference.Estimate, ip, receiver string) bool {
	switch {
	case est.IP == ip && est.Receiver == receiver:
		e.Score, e.Lo, e.Hi, e.Band = est.Score, est.Lo, est.Hi, est.Band
		e.Unknown, e.Borrowed, e.Needs, e.Evidence = est.Unknown, est.Borrowed, est.Needs, est.Evidence
		e.Network = est.Network
		if est.View == inference.ViewFull {
			e.View = &reports.FullView{Score: est.Full, Lo: est.FullLo, Hi: est.FullHi, Spam: est.Spam}
		}
		p := est.Parts
		e.Parts = []reports.Part{
			{Kind: reports.PartLevel, Points: p.Level},
			{Kind: reports.PartIP, Points: p.IP},
			{Kind: reports.PartNetwork, Points: p.Network},
			{Kind: reports.PartReceiver, Points: p.Receiver},
			{Kind: reports.PartPrivate, Points: p.Private},
		}
		return true
	case est.Unknown:
	case est.IP == ip:
		e.Elsewhere = append(e.Elsewhere, reports.Other{Name: a.Receiver(est.Receiver).Name, Score: est.Score})
	case est.Receiver == receiver:
		e.Others = append(e.Others, reports.Other{Name: est.IP, Score: est.Score, Neighbour: est.Network == a.networkOf(ip)})
	}
	return false
}

// networkOf is the neighbourhood of a sending IP under the model's networks.
func (a *Analysis) networkOf(ip string) string { return a.model.Neighbourhood(ip) }

// lastChange finds the fall that still holds, or the latest change.
func (a *Analysis) lastChange(e *reports.Explanation, all []inference.Change, day time.Time) {
	end := day.AddDate(0, 0, 1)
	for i := range all {
		c := &all[i]
		switch {
		case !c.Time.Before(end):
		case c.IP == e.IP && c.Receiver == e.Receiver.ID:
			e.Change = &reports.Change{
				Since: c.Time, Noticed: c.Noticed, IP: c.IP, Receiver: e.Receiver, Cause: string(c.Cause), Entity: c.Entity,
				Before: c.Before, After: c.After, Drop: c.Drop, Confidence: c.Confidence,
			}
		case c.Drop == 0 && end.Sub(c.Time) < 7*24*time.Hour && (c.IP == e.IP || c.Receiver == e.Receiver.ID):
			e.Events = append(e.Events, reports.Change{Since: c.Time, Cause: string(c.Cause), Entity: c.Entity})
		}
	}
}

// weekOf adds the outcomes and replies of the seven days that end with day,
// and the outcomes of the week before.
func (a *Analysis) weekOf(ctx context.Context, e *reports.Explanation, day time.Time) error {
	end := day.AddDate(0, 0, 1)
	from, before := end.AddDate(0, 0, -7), end.AddDate(0, 0, -14)
	if c := e.Change; c != nil && c.Drop > 0 && !c.Since.Before(before) {
		e.SinceFall = new(uint32)
	}
	for ev, err := range a.evidenceSince(ctx, before.Unix(), false) {
		if err != nil {
			return err
		}
		at := time.Unix(ev.Hour, 0)
		if ev.IP != e.IP || ev.Receiver != e.Receiver.ID || at.Before(before) || !at.Before(end) {
			continue
		}
		if e.SinceFall != nil && !at.Before(e.Change.Since) {
			*e.SinceFall += ev.First()
		}
		if at.Before(from) {
			e.Reference.Add(&ev.Counts)
		} else {
			e.Week.Add(&ev.Counts)
		}
	}
	f := &reports.Findings{Period: reports.Period{From: from, To: end}, Pairs: []reports.Pair{{IP: e.IP, Receiver: e.Receiver, Fall: &reports.Change{}}}}
	if err := a.replies(ctx, f); err != nil {
		return err
	}
	e.Replies = f.Quotes[:min(len(f.Quotes), 4)]
	if err := a.outside(ctx, f); err != nil {
		return err
	}
	for _, s := range f.Folders {
		if s.IP == e.IP && s.Receiver.ID == e.Receiver.ID {
			e.Signs = append(e.Signs, s)
		}
	}
	if i := slices.IndexFunc(f.Public, func(p reports.PublicScore) bool { return p.IP == e.IP }); i >= 0 {
		e.Public = &f.Public[i]
	}
	if e.Change != nil && e.Change.Drop > 0 && e.Score < e.Change.Before-10 {
		_, act := actionFor(&reports.Pair{IP: e.IP, Receiver: e.Receiver, Score: e.Score, Fall: e.Change})
		for _, o := range e.Others {
			if anotherHelps(&act) && o.Score > max(act.Score, 80) {
				act.Better, act.Score = o.Name, o.Score
			}
		}
		e.Action = &act
	}
	return nil
}
