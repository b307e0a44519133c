package inference

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Change is a fall or a recovery of one pair, or an event that is not
// reputation (outage, own_network, list, stream), where IP or Receiver may be
// empty: all that have mail.
type Change struct {
	Time       time.Time // when it began, to the hour as far as mail tells
	Noticed    time.Time // the end of the hour in which it was certain
	IP         string
	Receiver   string
	Cause      Cause
	Entity     string // what the cause names: the IP, the network, the receiver, the stream
	Before     float64
	After      float64
	Drop       float64 // Before − After; negative for a recovery
	Confidence float64 // 0–1
	pair       *pair
}

// Cause is why a score changed.
type Cause string

// The causes.
const (
	CauseIP            Cause = "ip"
	CauseNeighbourhood Cause = "neighbourhood"
	CauseReceiver      Cause = "receiver"
	CausePrivate       Cause = "private"
	CauseStream        Cause = "stream"
	CauseList          Cause = "list"
	CauseOutage        Cause = "outage"
	CauseOwnNetwork    Cause = "own_network"
	CauseRecovery      Cause = "recovery"
)

const (
	referenceDays = 9  // scores kept: days −9…−1
	alarmMargin   = 10 // points below the reference that must be certain
	recovered     = 5  // points below the reference that count as back
	windowDays    = 4
	alarmCalm     = 4 // messages a day up to which a pair is judged once a day or so
	alarmOwn      = 2 // days: a pair without mail of its own for longer only borrows a fall
)

// reference is the mean of the daily scores from day −b to day −a; false
// while there are none. m.ring ends with yesterday.
func (p *pair) reference(a, b int) (float64, bool) {
	sum, n := 0.0, 0
	for d := a; d <= b && d <= p.ringN; d++ {
		sum += p.ring[len(p.ring)-d]
		n++
	}
	if n < 3 {
		return 0, false
	}
	return sum / float64(n), true
}

// checkAlarms looks at the pairs of the block that was closed.
func (m *Model) checkAlarms() {
	for i := range m.block {
		m.checkAlarm(m.pairs[m.block[i].p])
	}
	m.block = m.block[:0]
}

func (m *Model) checkAlarm(p *pair) {
	ref, ok := p.reference(2, 7)
	if !ok {
		return
	}
	mean, v := m.eta(p, -1, m.now)
	v += m.cfg.Alarmed
	score, _ := scoreMoments(mean, v)
	day := int64(m.now)
	if p.low && score >= p.before-recovered {
		p.low = false
		p.alarmed = 0
		m.pending(p, CauseRecovery, p.worst(), score)
		return
	}
	if p.alarmed != 0 && day-p.alarmed < int64(m.cfg.Refractory) {
		return
	}
	if ref-score >= m.cfg.MinDrop && !p.last.contradicts(ref, score) && probBelow(ref-alarmMargin, mean, v) >= m.certainty(p, day) {
		p.alarmed, p.before, p.low = day, ref, true
		m.pending(p, "", ref, score)
	}
}

// certainty is how sure a fall of a pair must be before it is told: a pair that
// is judged four times a day has four chances of a false alarm where one with
// little mail has one, and is soon sure of a true one.
func (m *Model) certainty(p *pair, day int64) float64 {
	perDay := float64(p.month30(day)) / 30
	return 1 - (1-m.cfg.Certainty)/math.Sqrt(clamp(perDay/alarmCalm, 1, 4))
}

// contradicts tells whether a pair's latest mail speaks for the score before
// and against the one after: then only what it shares with others fell.
func (b *batch) contradicts(before, after float64) bool {
	p0, p1 := clamp(before/100, 0.02, 0.98), clamp(after/100, 0.02, 0.98)
	return b.y*math.Log(p1/p0)+(b.n-b.y)*math.Log((1-p1)/(1-p0)) < 0
}

// worst is the lowest of the last days' scores.
func (p *pair) worst() float64 {
	low := math.Inf(1)
	for d := 1; d <= min(p.ringN, len(p.ring)); d++ {
		low = math.Min(low, p.ring[len(p.ring)-d])
	}
	return low
}

// pending notes a change whose cause is found at the day's end.
func (m *Model) pending(p *pair, cause Cause, before, after float64) {
	noticed := time.Unix(int64(m.now*86400+0.5), 0).In(m.cfg.Zone)
	m.open = append(m.open, Change{
		Time: noticed, Noticed: noticed, IP: m.ips[p.ip].name, Receiver: m.receivers[p.recv].name,
		Cause: cause, Before: before, After: after, Drop: before - after, Confidence: m.cfg.Certainty, pair: p,
	})
}

// point is what a pair's mail of an hour and a stream told.
type point struct {
	hour int64
	y, n float64
}

// points are the window's points of the pairs that changed.
func (m *Model) points() map[*pair][]point {
	pts := map[*pair][]point{}
	for i := range m.open {
		pts[m.open[i].pair] = nil
	}
	for _, i := range m.unclaimed {
		pts[m.changes[i].pair] = nil
	}
	for i := range m.window {
		o := &m.window[i]
		if p := m.pairs[o.p]; o.n > 0 {
			if list, ok := pts[p]; ok {
				pts[p] = append(list, point{o.hour, o.y, o.n})
			}
		}
	}
	return pts
}

// onset finds the hour at which a pair's outcomes changed: the split of its
// points into before and after with the highest likelihood.
func (p *pair) onset(pts []point) (hour int64, ok bool) {
	var sumY, sumN float64
	for _, q := range pts {
		sumY += q.y
		sumN += q.n
	}
	best := math.Inf(-1)
	ref, has := p.reference(3, 8)
	if !has {
		return 0, false
	}
	base := clamp(ref/100, 0.02, 0.99)
	for i := range pts { // before: at the reference; after: at its own rate
		rate := clamp(sumY/math.Max(sumN, 1e-9), 0.01, 0.99)
		gain := sumY*math.Log(rate/base) + (sumN-sumY)*math.Log((1-rate)/(1-base))
		if gain > best && rate < base {
			best, hour, ok = gain, pts[i].hour, true
		}
		sumY -= pts[i].y
		sumN -= pts[i].n
	}
	return hour, ok
}

// forgetWindow drops cells that the attribution needs no longer.
func (m *Model) forgetWindow(day time.Time) {
	limit := day.AddDate(0, 0, 1-windowDays).Unix()
	i := 0
	for i < len(m.window) && m.window[i].hour < limit {
		i++
	}
	m.window = append(m.window[:0], m.window[i:]...)
}

// Changes lists the changes found so far, in order of time.
func (m *Model) Changes() []Change {
	out := slices.Clone(m.changes)
	slices.SortStableFunc(out, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.IP, b.IP), cmp.Compare(a.Receiver, b.Receiver))
	})
	return out
}
