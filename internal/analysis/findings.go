package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/sender"
	"repute/reports"
)

// maxQuotes is how many replies a report quotes beside those of its actions.
const maxQuotes = 12

// pairKey is a sending IP at a receiver.
type pairKey struct{ ip, receiver string }

// Findings fills a report for [from, to), whole days in the model's zone;
// zero times stand for the first and the last day with evidence.
func (a *Analysis) Findings(ctx context.Context, from, to time.Time) (*reports.Findings, error) {
	first, last, err := a.Span(ctx)
	if err != nil {
		return nil, err
	}
	f := &reports.Findings{Period: period(first, last, from, to)}
	if err := a.coverage(ctx, f); err != nil {
		return nil, err
	}
	course := newCourse(a, f, first)
	changes, err := course.run(ctx)
	if err != nil {
		return nil, err
	}
	course.earlier = a.changes(f, changes)
	course.finish()
	tellSpread(f)
	if err := a.replies(ctx, f); err != nil {
		return nil, err
	}
	if err := a.delays(ctx, f); err != nil {
		return nil, err
	}
	if err := a.outside(ctx, f); err != nil {
		return nil, err
	}
	f.Actions = actions(f)
	f.Quotes = f.Quotes[:min(len(f.Quotes), maxQuotes)]
	return f, nil
}

// trendDays is how many days a trend has at least, as far as there is evidence.
const trendDays = 56

// period resolves the times asked for; first and last are the days with
// evidence.
func period(first, last, from, to time.Time) reports.Period {
	if from.IsZero() {
		from = first
	}
	if to.IsZero() {
		to = last.AddDate(0, 0, 1)
	}
	// A period far beyond the evidence is empty there, and as long as one asks.
	if from.Before(first.AddDate(0, 0, -7)) && to.After(first) {
		from = first
	}
	if to.After(last.AddDate(0, 0, 8)) && !from.After(last) {
		to = last.AddDate(0, 0, 1)
	}
	if most := from.AddDate(1, 0, 0); from.After(last) && to.After(most) {
		to = most
	}
	p := reports.Period{From: from, To: to}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		p.Days = append(p.Days, d)
	}
	start := from
	for start.After(first) && start.After(to.AddDate(0, 0, -trendDays)) {
		start = start.AddDate(0, 0, -1)
	}
	for d := start; d.Before(to); d = d.AddDate(0, 0, 1) {
		p.Trend = append(p.Trend, d)
	}
	return p
}

func (a *Analysis) coverage(ctx context.Context, f *reports.Findings) error {
	streams, err := a.store.Streams(ctx)
	if err != nil {
		return err
	}
	info, err := a.store.Info(ctx)
	if err != nil {
		return err
	}
	c := &f.Coverage
	for i := range streams {
		s := &streams[i]
		c.Files = append(c.Files, s.Path)
		if !slices.Contains(c.Formats, s.Format) {
			c.Formats = append(c.Formats, s.Format)
		}
		c.Lines += s.Lines
		c.Events += s.Events
		c.Attempts += s.Attempts
		c.Irrelevant += s.Irrelevant
		c.NotUnderstood += s.NotUnderstood
		c.Oversize += s.Oversize
		c.Truncated += s.Truncated
	}
	c.Messages = info.Messages
	attempts, err := a.store.AttemptsByOrigin(ctx)
	if err != nil {
		return err
	}
	ips := map[string]bool{}
	for i, s := range a.sources {
		switch {
		case attempts[int32(i+1)] == 0: // bounces of our own, mail that was never tried
		case s.How != sender.Unknown:
			ips[s.Name] = true
		case !slices.Contains(c.UnknownSources, s.Name):
			c.UnknownSources = append(c.UnknownSources, s.Name)
		}
	}
	c.IPs = len(ips)
	return nil
}

// changes sorts the period's changes into falls and recoveries, gravest
// first, and what is not reputation. It returns the falls of before that no
// recovery followed, the latest of each pair.
func (a *Analysis) changes(f *reports.Findings, all []inference.Change) (earlier []*reports.Change) {
	open := map[pairKey]*reports.Change{}
	for _, c := range all {
		if !c.Time.Before(f.Period.To) {
			continue
		}
		r := reports.Change{
			Since: c.Time, Noticed: c.Noticed, IP: c.IP, Cause: string(c.Cause), Entity: c.Entity,
			Before: c.Before, After: c.After, Drop: c.Drop, Confidence: c.Confidence,
		}
		if c.Receiver != "" {
			r.Receiver = a.Receiver(c.Receiver)
		}
		if c.Time.Before(f.Period.From) {
			if open[pairKey{c.IP, c.Receiver}] = &r; c.Drop <= 0 {
				delete(open, pairKey{c.IP, c.Receiver})
			}
			continue
		}
		if c.Drop == 0 {
			f.Others = append(f.Others, r)
		} else {
			f.Changes = append(f.Changes, r)
		}
	}
	slices.SortStableFunc(f.Changes, func(x, y reports.Change) int { return cmp.Compare(y.Drop, x.Drop) })
	for _, c := range open {
		earlier = append(earlier, c)
	}
	return earlier
}

// gravest orders pairs: fallen and still low, fallen and not known by now,
// fallen and back, then by score.
func gravest(x, y reports.Pair) int {
	return cmp.Or(
		cmp.Compare(rank(&x), rank(&y)),
		cmp.Compare(fallen(&y), fallen(&x)),
		cmp.Compare(math.Round(x.Score), math.Round(y.Score)),
		cmp.Compare(y.Evidence, x.Evidence),
		cmp.Compare(x.IP, y.IP), cmp.Compare(x.Receiver.ID, y.Receiver.ID))
}

func rank(p *reports.Pair) int {
	switch {
	case p.Fall != nil && !p.Recovered && !p.Unknown:
		return 0
	case p.Fall != nil && !p.Recovered:
		return 1
	case p.Fall != nil:
		return 2
	case p.Unknown:
		return 4
	}
	return 3
}

func fallen(p *reports.Pair) float64 {
	if p.Fall == nil {
		return 0
	}
	return p.Fall.Drop
}

// replies finds each pair's main reason and the replies behind the falls.
func (a *Analysis) replies(ctx context.Context, f *reports.Findings) error {
	rows, err := a.store.Replies(ctx, f.Period.From.UnixMicro(), f.Period.To.UnixMicro())
	if err != nil {
		return err
	}
	reasons := map[pairKey]*[delivery.NumReasons]int64{}
	quotes := map[quoteKey]*reports.Quote{}
	var order []quoteKey
	zone := f.Period.From.Location()
	for i := range rows {
		r := &rows[i]
		if !a.knows(r.Origin, r.Receiver, 0) {
			continue
		}
		k := pairKey{a.source(r.Origin), a.receivers[r.Receiver-1].ID}
		reason, _ := delivery.ParseReason(r.Reason)
		if reasons[k] == nil {
			reasons[k] = &[delivery.NumReasons]int64{}
		}
		reasons[k][reason] += r.First
		if !tellsOfReputation(r.Class) || r.First == 0 {
			continue
		}
		q := quoteKey{k, r.Template}
		if quotes[q] == nil {
			quotes[q] = a.quote(k, r, reason, zone)
			order = append(order, q)
			continue
		}
		quotes[q].Count += r.First
		quotes[q].From = earlier(quotes[q].From, time.UnixMicro(r.From).In(zone))
		quotes[q].To = later(quotes[q].To, time.UnixMicro(r.To).In(zone))
	}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if n := reasons[pairKey{p.IP, p.Receiver.ID}]; n != nil {
			p.Reason = mainReason(n)
		}
	}
	for _, k := range order {
		if i := slices.IndexFunc(f.Pairs, func(p reports.Pair) bool {
			return p.Fall != nil && p.IP == k.ip && p.Receiver.ID == k.receiver
		}); i >= 0 {
			f.Quotes = append(f.Quotes, *quotes[k])
		}
	}
	slices.SortStableFunc(f.Quotes, func(x, y reports.Quote) int { return cmp.Compare(y.Count, x.Count) })
	return nil
}

type quoteKey struct {
	pairKey
	template int32
}

func tellsOfReputation(c delivery.Class) bool {
	switch c {
	case delivery.ClassDeferPolicy, delivery.ClassRejectPolicy, delivery.ClassRejectGeneric, delivery.ClassThrottled, delivery.ClassDeferSlow:
		return true
	}
	return false
}

func mainReason(n *[delivery.NumReasons]int64) delivery.Reason {
	best := delivery.ReasonNone
	for r := range delivery.Reason(delivery.NumReasons) {
		if n[r] > n[best] {
			best = r
		}
	}
	return best
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
