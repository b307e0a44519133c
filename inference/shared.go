package inference

import "math"

// A shared part moves as a whole when several of its cells say together that a
// shift of ±2.5 explains them better than what was expected. The shift is not
// taken from this: the part is only opened, and the measurements move it.

// sharedKinds are the parts that can be opened, in the order in which they are
// preferred where they explain the same.
var sharedKinds = [...]struct {
	cause Cause
	least float64 // by how much it must explain more than those before it
}{{CauseIP, 0}, {CauseNeighbourhood, 3}, {CauseReceiver, 0}, {CauseStream, 3}, {causeFamily, 3}}

const (
	sharedShift  = 2.5
	sharedAgree  = 0.8 // a fifth of the cells may disagree: not all receivers use one block list
	sharedEnough = 5.0
	sharedCells  = 3
	sharedAtMost = 40 // parts opened in one block
	shiftLeast   = -3.0
	shiftMost    = 6.0
	shiftedLeast = 0.5 // messages that a cell must be worth
)

// shifted is what a cell says of a shift: log-likelihood ratios.
type shifted struct {
	id       [len(sharedKinds)]int // −1: none
	down, up float64
}

// openShared opens the parts that moved in this block: the best, then the best
// for the cells that it does not explain, and so on.
func (m *Model) openShared() {
	m.shifted = m.shifted[:0]
	for i := range m.block {
		o := &m.block[i]
		if o.n < shiftedLeast {
			continue
		}
		mean, variance := m.eta(m.pairs[o.p], o.stream, m.now)
		down, up := o.shiftRatio(mean, variance)
		m.shifted = append(m.shifted, shifted{[...]int{o.ip, m.ips[o.ip].net, o.recv, o.stream, m.streams[o.stream].family}, down, up})
	}
	for range sharedAtMost {
		kind, id, down, score := m.bestShared()
		if score == 0 {
			return
		}
		m.openPart(kind, id)
		if down {
			m.fell = append(m.fell, found{hypothesis{sharedKinds[kind].cause, id}, score})
		}
		kept := m.shifted[:0]
		for _, c := range m.shifted {
			if c.id[kind] != id || down && c.down <= 0 || !down && c.up <= 0 {
				kept = append(kept, c)
			}
		}
		m.shifted = kept
	}
}

// bestShared is the part whose shift explains the most.
func (m *Model) bestShared() (kind, id int, down bool, score float64) {
	best := sharedEnough
	for k := range sharedKinds {
		sums := m.tallies(k)
		for i := range sums {
			s := &sums[i]
			if s.cells < sharedCells {
				continue
			}
			if t := math.Max(s.down, s.up); t > best+sharedKinds[k].least {
				best, kind, id, down, score = t, k, i, s.down >= s.up, t
			}
		}
	}
	return kind, id, down, score
}

type tally struct {
	down, up float64
	cells    int
}

func (m *Model) tallies(kind int) []tally {
	n := [...]int{len(m.ips), len(m.nets), len(m.receivers), len(m.streams), len(m.families)}[kind]
	if cap(m.sums) < n {
		m.sums = make([]tally, 2*n)
	}
	sums := m.sums[:n]
	clear(sums)
	for i := range m.shifted {
		c := &m.shifted[i]
		if c.id[kind] < 0 {
			continue
		}
		s := &sums[c.id[kind]]
		s.down += math.Log(sharedAgree*math.Exp(c.down) + 1 - sharedAgree)
		s.up += math.Log(sharedAgree*math.Exp(c.up) + 1 - sharedAgree)
		s.cells++
	}
	return sums
}

func (m *Model) openPart(kind, id int) {
	groups := [...][]group{m.ips, m.nets, m.receivers, m.streams, m.families}[kind]
	part := [...]Part{m.cfg.IP, m.cfg.Net, m.cfg.Receiver, m.cfg.Stream, m.cfg.Stream}[kind]
	g := &groups[id]
	g.b.forget(m.now, part)
	g.b.v += m.cfg.SharedVar
	g.opened = true
}

// shiftRatio is the capped log-likelihood ratio of a shift by −2.5 and by
// +2.5 against the best of none and one standard deviation either way.
func (o *observation) shiftRatio(mean, variance float64) (down, up float64) {
	ll := func(d float64) float64 { return o.y*d - o.n*(softplus(mean+d)-softplus(mean)) }
	sd := math.Sqrt(variance)
	null := math.Max(0, math.Max(ll(sd), ll(-sd)))
	return clamp(ll(-sharedShift)-null, shiftLeast, shiftMost), clamp(ll(sharedShift)-null, shiftLeast, shiftMost)
}
