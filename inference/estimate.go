package inference

import (
	"iter"
	"math"
	"math/bits"
	"time"

	"repute/delivery"
)

// Estimate is what is inferred of one pair at the end of one day.
type Estimate struct {
	Day      time.Time // start of the day, in the model's zone
	IP       string
	Receiver string
	Network  string // the IP's neighbourhood

	Score, Lo, Hi float64 // 0–100; 80 % interval
	Lo95, Hi95    float64
	Band          string
	Evidence      uint32  // first outcomes of its own in the last 30 days
	Own           float64 // effective number of its own, decayed
	Unknown       bool    // the interval is wider than 40 points, or no evidence ever
	Borrowed      bool    // less than 3 effective outcomes of its own
	Needs         int     // about this many more outcomes until it is known; 0 if it is
	Jump          float64 // probability that the private part jumped today
	Parts         Contributions

	// The full score counts mail in the spam folder for a quarter. With
	// ViewSMTP nothing is known of folders, and it is the score above.
	View                 string
	Full, FullLo, FullHi float64 // 0–100; 80 % interval
	Spam                 float64 // F: expected share of accepted mail in the spam folder, 0–1
}

// Contributions are what each part adds to the score, in points: the score
// with all parts less the score without this one. Level is the score of the
// usual level alone.
type Contributions struct {
	Level, IP, Network, Receiver, Private float64
}

const (
	unknownWidth = 40.0
	ownEnough    = 3.0
)

// Band names the range of a score, 90–100 trusted … 0–19 blocked.
func Band(score float64) string {
	switch {
	case score >= 90:
		return "trusted"
	case score >= 80:
		return "good"
	case score >= 50:
		return "impaired"
	case score >= 20:
		return "poor"
	}
	return "blocked"
}

// Estimate reads evidence in order of time and yields, at the end of each day,
// one estimate for each pair that has evidence, in the order in which the
// pairs were first seen. The last day is yielded at the end of the evidence.
func (m *Model) Estimate(evidence iter.Seq2[delivery.Evidence, error]) iter.Seq2[Estimate, error] {
	return func(yield func(Estimate, error) bool) {
		for e, err := range evidence {
			if err != nil {
				yield(Estimate{}, err)
				return
			}
			for _, day := range m.Add(&e) {
				if !m.yieldDay(day, yield) {
					return
				}
			}
		}
		if m.hour == 0 {
			return
		}
		m.closeBlock()
		m.checkAlarms()
		m.endDay(m.dayOf(m.hour))
		m.yieldDay(m.dayOf(m.hour), yield)
	}
}

// Add takes one hour's cell. Cells come in order of time; one of an hour that
// is closed already counts into the open one. It returns the days that ended
// before the cell.
func (m *Model) Add(e *delivery.Evidence) (ended []time.Time) {
	if m.hour == 0 {
		m.hour = e.Hour
	}
	if e.Hour > m.hour {
		if m.blockStart(e.Hour) > m.blockStart(m.hour) {
			m.closeBlock()
			m.checkAlarms()
		}
		for day, next := m.dayOf(m.hour), m.dayOf(e.Hour); day.Before(next); day = day.AddDate(0, 0, 1) {
			m.endDay(day)
			ended = append(ended, day)
		}
		if len(ended) > 0 && len(m.dayEnds) > 0 {
			m.hour = m.dayOf(e.Hour).Unix()
			for _, tell := range m.dayEnds {
				tell(m.dayOf(e.Hour))
			}
		}
		m.hour = e.Hour
	}
	m.cells = append(m.cells, m.observe(e))
	return ended
}

// dayOf returns the start of an hour's day.
func (m *Model) dayOf(hour int64) time.Time {
	t := time.Unix(hour, 0).In(m.cfg.Zone)
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, m.cfg.Zone)
}

func (m *Model) yieldDay(day time.Time, yield func(Estimate, error) bool) bool {
	end := days(day.AddDate(0, 0, 1).Unix())
	for id, p := range m.pairs {
		if e := m.estimate(id, p, day, end); !yield(e, nil) {
			return false
		}
	}
	return true
}

// estimate is the belief about a pair at a time, as numbers for people.
func (m *Model) estimate(id int, p *pair, day time.Time, at float64) Estimate {
	mean, v := m.eta(p, -1, at)
	v += m.cfg.Reported
	sd := math.Sqrt(v)
	e := Estimate{
		Day: day, IP: m.ips[p.ip].name, Receiver: m.receivers[p.recv].name,
		Lo: 100 * sigmoid(mean-z80*sd), Hi: 100 * sigmoid(mean+z80*sd),
		Lo95: 100 * sigmoid(mean-z95*sd), Hi95: 100 * sigmoid(mean+z95*sd),
		Evidence: p.month30(day.Unix() / 86400), Own: p.own * math.Exp2(-(at-p.ownAt)/15), Jump: p.jump,
	}
	if net := m.ips[p.ip].net; net >= 0 {
		e.Network = m.nets[net].name
	}
	e.Hi, e.Hi95 = lapsed(e.Hi), lapsed(e.Hi95)
	e.Score, _ = scoreMoments(mean, v)
	e.Score = clamp(e.Score, e.Lo, e.Hi)
	e.Band = Band(e.Score)
	e.Unknown = e.Hi-e.Lo > unknownWidth || !p.seen
	e.Borrowed = e.Own < ownEnough
	if e.Unknown {
		e.Needs = needs(mean, v)
	}
	e.Parts = m.contributions(p, e.Score, at)
	m.full(&e, id, mean, v, at)
	return e
}

// lapse is the share of accepted mail that is booked as something else: a
// score can't be told from one that is better by so much.
const lapse = 0.005

func lapsed(hi float64) float64 { return math.Min(100, hi/(1-lapse)) }

// needs is about how many outcomes bring the interval under 40 points: the
// variance after n outcomes at the present mean is 1/(1/v + n·p(1−p)).
func needs(mean, v float64) int {
	p := sigmoid(mean)
	for n := 1; n < 200; n++ {
		sd := math.Sqrt(1 / (1/v + float64(n)*p*(1-p)))
		if 100*(sigmoid(mean+z80*sd)-sigmoid(mean-z80*sd)) <= unknownWidth {
			return n
		}
	}
	return 200
}

// contributions shares the distance between the usual level and the score among
// the parts: what each adds, on average over the orders in which they can be
// added (Shapley's value), so that level and parts add up to the score.
func (m *Model) contributions(p *pair, score, at float64) Contributions {
	var parts [4]float64 // IP, receiver, private, network
	parts[0] = m.ips[p.ip].b.moved(at, m.cfg.IP).m
	parts[1] = m.receivers[p.recv].b.moved(at, m.cfg.Receiver).m
	parts[2] = p.u.moved(at, m.cfg.Private).m
	if net := m.ips[p.ip].net; net >= 0 {
		parts[3] = m.nets[net].b.moved(at, m.cfg.Net).m
	}
	var with [1 << len(parts)]float64 // the score with a set of the parts
	for set := range with {
		eta := m.mu.m
		for k, x := range parts {
			if set>>k&1 == 1 {
				eta += x
			}
		}
		with[set] = 100 * sigmoid(eta)
	}
	share := [len(parts)]float64{1. / 4, 1. / 12, 1. / 12, 1. / 4} // by how many came before
	var adds [len(parts)]float64
	for set := range with {
		for k := range parts {
			if set>>k&1 == 0 {
				adds[k] += share[bits.OnesCount(uint(set))] * (with[set|1<<k] - with[set])
			}
		}
	}
	// A score is the mean over what is possible, not the most likely value.
	level := with[0]
	if whole := with[len(with)-1] - level; math.Abs(whole) > 1 && (score-level)/whole > 0 {
		for k := range adds {
			adds[k] *= (score - level) / whole
		}
	}
	return Contributions{Level: level, IP: adds[0], Receiver: adds[1], Private: adds[2], Network: adds[3]}
}

// endDay keeps the day's scores as references and clears the day's marks.
func (m *Model) endDay(day time.Time) {
	m.now = days(day.AddDate(0, 0, 1).Unix())
	m.foldersOf(day)
	for _, p := range m.pairs { // those that had mail lately: what opened since may have moved them
		if m.now-p.u.at <= alarmOwn {
			m.checkAlarm(p)
		}
	}
	m.attribute(day)
	for _, p := range m.pairs {
		mean, v := m.eta(p, -1, m.now)
		score, _ := scoreMoments(mean, v+m.cfg.Reported)
		copy(p.ring[:], p.ring[1:])
		p.ring[len(p.ring)-1] = score
		p.ringN++
		p.jump = 0
	}
	for _, groups := range [][]group{m.ips, m.nets, m.receivers, m.streams, m.families} {
		for i := range groups {
			groups[i].opened = false
		}
	}
	m.forgetWindow(day)
}
