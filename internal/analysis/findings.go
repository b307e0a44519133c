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
	result, err := a.Run(ctx, false)
	if err != nil {
		return nil, err
	}
	f := &reports.Findings{Period: period(result.Estimates, from, to)}
	if err := a.coverage(ctx, f); err != nil {
		return nil, err
	}
	a.changes(f, result.Changes)
	if err := a.pairs(ctx, f, result.Estimates); err != nil {
		return nil, err
	}
	if err := a.replies(ctx, f); err != nil {
		return nil, err
	}
	f.Actions = actions(f)
	f.Quotes = f.Quotes[:min(len(f.Quotes), maxQuotes)]
	return f, nil
}

func period(estimates []inference.Estimate, from, to time.Time) reports.Period {
	if n := len(estimates); n > 0 {
		if from.IsZero() {
			from = estimates[0].Day
		}
		if to.IsZero() {
			to = estimates[n-1].Day.AddDate(0, 0, 1)
		}
	}
	p := reports.Period{From: from, To: to}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		p.Days = append(p.Days, d)
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
	ips := map[string]bool{}
	for _, s := range a.sources {
		switch {
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
// first, and what is not reputation.
func (a *Analysis) changes(f *reports.Findings, all []inference.Change) {
	for _, c := range all {
		if c.Time.Before(f.Period.From) || !c.Time.Before(f.Period.To) {
			continue
		}
		r := reports.Change{
			Since: c.Time, Noticed: c.Noticed, IP: c.IP, Cause: string(c.Cause), Entity: c.Entity,
			Before: c.Before, After: c.After, Drop: c.Drop, Confidence: c.Confidence,
		}
		if c.Receiver != "" {
			r.Receiver = a.Receiver(c.Receiver)
		}
		if c.Drop == 0 {
			f.Others = append(f.Others, r)
		} else {
			f.Changes = append(f.Changes, r)
		}
	}
	slices.SortStableFunc(f.Changes, func(x, y reports.Change) int { return cmp.Compare(y.Drop, x.Drop) })
}

// pairs fills in every pair: its last estimate, its trend, its counts.
func (a *Analysis) pairs(ctx context.Context, f *reports.Findings, estimates []inference.Estimate) error {
	counts := map[pairKey]*delivery.Counts{}
	mail := map[pairKey]map[int64]bool{}
	for e, err := range a.Evidence(ctx, false) {
		if err != nil {
			return err
		}
		at := time.Unix(e.Hour, 0)
		if at.Before(f.Period.From) || !at.Before(f.Period.To) {
			continue
		}
		k := pairKey{e.IP, e.Receiver}
		if counts[k] == nil {
			counts[k], mail[k] = &delivery.Counts{}, map[int64]bool{}
		}
		counts[k].Add(&e.Counts)
		t := at.In(f.Period.From.Location())
		mail[k][time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location()).Unix()] = true
		f.Coverage.FirstOutcomes += int64(e.First())
		f.Coverage.Accepted += int64(e.Accepted)
	}
	index := map[pairKey]int{}
	weekBefore := f.Period.Last().AddDate(0, 0, -7)
	before := map[pairKey]inference.Estimate{}
	for _, e := range estimates {
		k := pairKey{e.IP, e.Receiver}
		if e.Day.Equal(weekBefore) {
			before[k] = e
		}
		if counts[k] == nil || e.Day.Before(f.Period.From) || !e.Day.Before(f.Period.To) {
			continue
		}
		i, ok := index[k]
		if !ok {
			i = len(f.Pairs)
			index[k] = i
			f.Pairs = append(f.Pairs, reports.Pair{IP: e.IP, Receiver: a.Receiver(e.Receiver), Network: e.Network, Counts: *counts[k]})
		}
		p := &f.Pairs[i]
		p.Score, p.Lo, p.Hi, p.Band = e.Score, e.Lo, e.Hi, e.Band
		p.Unknown, p.Borrowed, p.Needs, p.Evidence = e.Unknown, e.Borrowed, e.Needs, e.Evidence
		p.Trend = append(p.Trend, reports.Point{
			Day: e.Day, Score: e.Score, Lo: e.Lo, Hi: e.Hi, Unknown: e.Unknown, Mail: mail[k][e.Day.Unix()],
		})
	}
	for i := range f.Pairs {
		finish(&f.Pairs[i], f, before)
	}
	slices.SortStableFunc(f.Pairs, gravest)
	seen := map[string]bool{}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		seen[p.Receiver.ID] = true
		switch {
		case p.Unknown:
			f.Coverage.Unknown++
		case p.Borrowed:
			f.Coverage.Borrowed++
			f.Coverage.Known++
		default:
			f.Coverage.Known++
		}
	}
	f.Coverage.Receivers = len(seen)
	return nil
}

// finish adds what a pair's own numbers don't say: the week before, its fall.
func finish(p *reports.Pair, f *reports.Findings, before map[pairKey]inference.Estimate) {
	if b, ok := before[pairKey{p.IP, p.Receiver.ID}]; ok && !b.Unknown && !p.Unknown {
		p.Week = &reports.Comparison{Before: b.Score, Clear: (p.Score < b.Lo || p.Score > b.Hi) && (b.Score < p.Lo || b.Score > p.Hi)}
	}
	for i := range f.Changes { // gravest first
		c := &f.Changes[i]
		if c.IP != p.IP || c.Receiver.ID != p.Receiver.ID {
			continue
		}
		if c.Drop > 0 && p.Fall == nil {
			p.Fall = c
		}
	}
	p.Recovered = p.Fall != nil && !p.Unknown && p.Score >= p.Fall.Before-10
}

// gravest orders pairs: fallen and not back, fallen and back, then by score.
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
	case p.Fall != nil && !p.Recovered:
		return 0
	case p.Fall != nil:
		return 1
	case p.Unknown:
		return 3
	}
	return 2
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
