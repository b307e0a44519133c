package analysis

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sort"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/reports"
)

// course follows all evidence once: the model reads it, and what a report
// counts is counted on the way.
type course struct {
	*Analysis
	f          *reports.Findings
	first      time.Time // day with evidence
	weekBefore time.Time // seven days before the period's last

	pairs   map[pairKey]*counted
	order   []pairKey // as they came
	streams map[string]*reports.Stream
	ips     map[string]*sent

	earlier []*reports.Change // falls of before the period that were not followed by a recovery, the latest of each pair

	hour int64 // of the cell before
	day  int   // of Period.Trend, −1 before it
	in   place // of that hour
}

// place is where an hour lies.
type place uint8

const (
	elsewhere place = iota
	inWeek          // the seven days before the period
	inPeriod
)

// counted is a pair as far as it is known.
type counted struct {
	reports.Pair
	before *inference.Estimate
}

// sent is the mail of one sending IP.
type sent struct {
	first           int64 // hour of its first mail
	daily, accepted []uint32
}

func newCourse(a *Analysis, f *reports.Findings, first time.Time) *course {
	f.Daily = make([]delivery.Counts, len(f.Period.Trend))
	return &course{
		Analysis: a, f: f, first: first, weekBefore: f.Period.Compared(),
		pairs: map[pairKey]*counted{}, streams: map[string]*reports.Stream{}, ips: map[string]*sent{}, hour: -1, day: -1,
	}
}

// run runs the model over all evidence and returns its changes.
func (c *course) run(ctx context.Context) ([]inference.Change, error) {
	until := c.f.Period.From.AddDate(0, 0, -7)
	if c.weekBefore.Before(until) {
		until = c.weekBefore
	}
	if t := c.f.Period.Trend; len(t) > 0 && t[0].Before(until) {
		until = t[0]
	}
	g, err := c.begin(ctx, until)
	if err != nil {
		return nil, err
	}
	c.firstMail(g.origins)
	m := g.model
	for e, err := range m.Estimate(c.tapped(c.evidenceSince(ctx, g.from, false))) {
		if err != nil {
			return nil, err
		}
		c.estimate(&e)
	}
	return m.Changes(), g.end(ctx)
}

// firstMail notes when each sending IP sent first.
func (c *course) firstMail(origins map[int32]int64) {
	for id, hour := range origins {
		if !c.knows(id, 0, 0) {
			continue
		}
		if ip := c.ip(c.source(id)); ip.first == 0 || hour < ip.first {
			ip.first = hour
		}
	}
}

// ip is the mail of a sending IP.
func (c *course) ip(name string) *sent {
	ip := c.ips[name]
	if ip == nil {
		ip = &sent{daily: make([]uint32, len(c.f.Daily)), accepted: make([]uint32, len(c.f.Daily))}
		c.ips[name] = ip
	}
	return ip
}

// tapped counts each cell that passes.
func (c *course) tapped(all iter.Seq2[delivery.Evidence, error]) iter.Seq2[delivery.Evidence, error] {
	return func(yield func(delivery.Evidence, error) bool) {
		for e, err := range all {
			if err == nil {
				c.count(&e)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// dayOf is the place of a time among the trend's days, −1 before them.
func (c *course) dayOf(t time.Time) int {
	return sort.Search(len(c.f.Period.Trend), func(i int) bool { return c.f.Period.Trend[i].After(t) }) - 1
}

// locate finds out where an hour lies; cells come by hour.
func (c *course) locate(hour int64) {
	if hour == c.hour {
		return
	}
	c.hour = hour
	at, p := time.Unix(hour, 0), &c.f.Period
	c.day, c.in = -1, elsewhere
	if !at.Before(p.To) {
		return
	}
	c.day = c.dayOf(at)
	switch {
	case !at.Before(p.From):
		c.in = inPeriod
	case !at.Before(p.From.AddDate(0, 0, -7)):
		c.in = inWeek
	}
}

func (c *course) count(e *delivery.Evidence) {
	c.locate(e.Hour)
	ip := c.ip(e.IP)
	if c.day >= 0 {
		c.f.Daily[c.day].Add(&e.Counts)
		ip.daily[c.day] += e.First()
		ip.accepted[c.day] += e.Accepted
	}
	if c.in == elsewhere {
		return
	}
	s := c.streams[e.Stream]
	if s == nil {
		s = &reports.Stream{Name: e.Stream}
		c.streams[e.Stream] = s
	}
	cover := &c.f.Coverage
	if c.in == inWeek {
		s.FirstBefore += int64(e.First())
		s.UnknownBefore += int64(e.UnknownUser)
		cover.FirstBefore += int64(e.First())
		cover.AcceptedBefore += int64(e.Accepted)
		return
	}
	s.First += int64(e.First())
	s.Unknown += int64(e.UnknownUser)
	cover.FirstOutcomes += int64(e.First())
	cover.Accepted += int64(e.Accepted)
	c.pair(pairKey{e.IP, e.Receiver}).Counts.Add(&e.Counts)
}

func (c *course) pair(k pairKey) *counted {
	p := c.pairs[k]
	if p == nil {
		p = &counted{Pair: reports.Pair{IP: k.ip, Receiver: c.Receiver(k.receiver)}}
		c.pairs[k] = p
		c.order = append(c.order, k)
	}
	return p
}

// estimate takes in what is known of a pair at the end of a day.
func (c *course) estimate(e *inference.Estimate) {
	day := c.dayOf(e.Day)
	if day < 0 || !e.Day.Before(c.f.Period.To) {
		return
	}
	p := c.pair(pairKey{e.IP, e.Receiver})
	if p.Trend == nil {
		p.Trend = make([]reports.Point, len(c.f.Period.Trend))
	}
	q := reports.Point{Score: float32(e.Score), Lo: float32(e.Lo), Hi: float32(e.Hi), State: reports.PointKnown}
	if e.Unknown {
		q.State = reports.PointUnknown
	}
	p.Trend[day] = q
	if !e.Day.Before(c.weekBefore) && e.Day.Before(c.weekBefore.AddDate(0, 0, 1)) {
		before := *e
		p.before = &before
	}
	p.Network = e.Network
	p.Score, p.Lo, p.Hi, p.Band = e.Score, e.Lo, e.Hi, e.Band
	p.Unknown, p.Borrowed, p.Needs, p.Evidence = e.Unknown, e.Borrowed, e.Needs, e.Evidence
	p.Parts = reports.Contributions(e.Parts)
	if p.View = nil; e.View == inference.ViewFull {
		p.View = &reports.FullView{Score: e.Full, Lo: e.FullLo, Hi: e.FullHi, Spam: e.Spam}
	}
}

// stillFallen is by how many points a pair must be below what it was, for a
// fall of before the period to be told again.
const stillFallen = 20

// finish hands over the pairs that had mail in the period, with the week
// before and their falls, and what was counted beside.
func (c *course) finish() {
	f := c.f
	falls := map[pairKey]*reports.Change{}
	for i := len(f.Changes) - 1; i >= 0; i-- { // the gravest is first and stays
		if ch := &f.Changes[i]; ch.Drop > 0 {
			falls[pairKey{ch.IP, ch.Receiver.ID}] = ch
		}
	}
	for _, ch := range c.earlier {
		if k := (pairKey{ch.IP, ch.Receiver.ID}); falls[k] == nil {
			if p := c.pairs[k]; p != nil && !p.Unknown && p.Score < ch.Before-stillFallen {
				falls[k] = ch
			}
		}
	}
	for _, k := range c.order {
		p := c.pairs[k]
		if p.Counts.First() == 0 || p.Trend == nil {
			continue
		}
		if b := p.before; b != nil && !b.Unknown && !p.Unknown {
			p.Week = &reports.Comparison{Before: b.Score, Clear: (p.Score < b.Lo || p.Score > b.Hi) && (b.Score < p.Lo || b.Score > p.Hi)}
		}
		p.Fall = falls[k]
		p.Recovered = p.Fall != nil && !p.Unknown && p.Score >= p.Fall.Before-10
		f.Pairs = append(f.Pairs, p.Pair)
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
	c.lists()
	c.volumes()
}

// A stream with less mail is not judged; so many are reported.
const streamMail, maxStreams = 50, 20

func (c *course) lists() {
	for _, s := range c.streams {
		if s.First >= streamMail {
			c.f.Streams = append(c.f.Streams, *s)
		}
	}
	share := func(s *reports.Stream) float64 { return float64(s.Unknown) / float64(s.First) }
	slices.SortFunc(c.f.Streams, func(x, y reports.Stream) int {
		return cmp.Or(cmp.Compare(share(&y), share(&x)), cmp.Compare(y.First, x.First), cmp.Compare(x.Name, y.Name))
	})
	c.f.Streams = c.f.Streams[:min(len(c.f.Streams), maxStreams)]
}

// An IP is in warm-up for so many days after its first mail; one that sends
// since the log's first days was there before it.
const warmUpDays, settledDays = 30, 3

func (c *course) volumes() {
	end := c.f.Period.To
	for name, s := range c.ips {
		v := reports.Volume{IP: name, Daily: s.daily}
		began := time.Unix(s.first, 0).In(end.Location())
		if age := int(end.Sub(began).Hours()/24) + 1; age > 0 && age <= warmUpDays && began.Sub(c.first) > settledDays*24*time.Hour {
			v.Age = age
		}
		for i := len(s.daily) - 1; i >= 0; i-- {
			if s.daily[i] > 0 {
				v.Accepted, v.Last = s.accepted[i], c.f.Period.Trend[i]
				c.f.Volumes = append(c.f.Volumes, v)
				break
			}
		}
	}
	total := func(v *reports.Volume) (n uint64) {
		for _, d := range v.Daily {
			n += uint64(d)
		}
		return n
	}
	slices.SortFunc(c.f.Volumes, func(x, y reports.Volume) int {
		return cmp.Or(cmp.Compare(total(&y), total(&x)), cmp.Compare(x.IP, y.IP))
	})
}
