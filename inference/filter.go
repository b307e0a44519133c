package inference

import (
	"math"

	"repute/delivery"
)

// closeBlock takes a block of hours in: masks, shared jumps, measurements. A
// block is long enough for the cells of one IP, network or receiver to tell
// together that it moved, and as long as a receiver's mood lasts.
func (m *Model) closeBlock() {
	if len(m.cells) == 0 {
		return
	}
	m.now = m.blockEnd(m.hour)
	m.blockCells()
	m.mask(m.block)
	m.weighBlock()
	m.openShared()
	for i := range m.block {
		m.record(&m.block[i])
	}
	for i := range m.block {
		if m.block[i].n > 0 {
			m.update(&m.block[i])
		}
	}
	m.remember()
	m.cells = m.cells[:0]
}

// weighBlock weighs the block's cells, each pair's mail as one batch.
func (m *Model) weighBlock() {
	for i := range m.block {
		o := &m.block[i]
		m.weigh(o)
		m.pairs[o.p].open.add(o)
	}
	for i := range m.block {
		o := &m.block[i]
		mean, _ := m.eta(m.pairs[o.p], o.stream, m.now)
		phi := m.discount(o, sigmoid(mean))
		o.y, o.n = phi*o.y, phi*o.n
	}
	for i := range m.block {
		m.closeBatch(m.pairs[m.block[i].p])
	}
}

// remember keeps the block's hours for the attribution, in time order.
func (m *Model) remember() {
	for i := range m.cells {
		o := &m.cells[i]
		m.weigh(o)
		mean, _ := m.eta(m.pairs[o.p], -1, m.now)
		phi := m.discount(o, sigmoid(mean))
		o.y, o.n = phi*o.y, phi*o.n
	}
	m.window = append(m.window, m.cells...)
}

// mask finds what is not reputation: a receiver that is out of order for many
// of its senders, a sending IP whose own network is down.
func (m *Model) mask(cells []observation) {
	type tally struct{ n, failed float64 }
	ips, recvs := make([]tally, len(m.ips)), make([]tally, len(m.receivers))
	for i := range cells {
		o := &cells[i]
		n, failed := float64(o.c.First()), float64(o.c.Connection)
		ips[o.ip].n += n
		ips[o.ip].failed += failed
		recvs[o.recv].n += n
		recvs[o.recv].failed += failed
		m.receivers[o.recv].grey += math.Min(2, float64(o.c.Greylisted))
	}
	for i, t := range ips {
		m.ips[i].down = t.n > 3 && t.failed > 0.3*t.n
	}
	for i, t := range recvs {
		m.receivers[i].down = t.failed >= 2 && t.failed > 0.2*t.n
	}
}

const (
	deferralWorth = 0.5  // u of a throttled message
	genericWeight = 0.7  // of a 5.7.1 without a telling text
	slowWeight    = 0.5  // of a generic deferral that outlived its first retry
	leak          = 0.02 // unknown users that are refused with policy words
	knownGreylist = 3    // recognised greylistings that make a greylister
	spike         = 3    // times the usual volume that make a throttle our own doing
	spikeAfter    = 12   // hours with mail after which the usual volume is known
)

// weigh turns a cell's counts into y accepted of n. A quick generic deferral
// is nothing at a greylister, deferrals are nothing while the receiver or our
// own network is down or a volume limit is hit.
func (m *Model) weigh(o *observation) {
	c := &o.c
	deferred := float64(c.DeferPolicy) + slowWeight*float64(c.DeferSlow)
	quick := slowWeight * float64(c.DeferQuick)
	refused := math.Max(0, float64(c.RejectPolicy)+genericWeight*float64(c.RejectGeneric)-leak*float64(c.UnknownUser))
	recv := &m.receivers[o.recv]
	if recv.grey > knownGreylist {
		quick = 0
	}
	deferred += float64(c.Throttled)
	if recv.down || m.ips[o.ip].down || c.Throttled > 0 && m.pairs[o.p].spikes(c.First()) {
		deferred, quick = 0, 0
	}
	o.n = float64(c.Accepted) + deferred + quick + refused
	o.y = float64(c.Accepted) + deferralWorth*(deferred+quick)
	o.sqrs = float64(c.Accepted) + deferralWorth*deferralWorth*(deferred+quick)
}

// spikes tells that an hour has far more mail than the pair usually has: a
// receiver that throttles then speaks of the volume, else of the sender.
func (p *pair) spikes(n uint32) bool {
	return p.hours >= spikeAfter && float64(n) > spike*p.usual
}

// record keeps what was expected of a cell, for the attribution.
func (m *Model) record(o *observation) {
	p := m.pairs[o.p]
	p.countMonth(o.hour/86400, o.c.First())
	p.hours++
	p.usual += (float64(o.c.First()) - p.usual) / float64(min(p.hours, 100))
	m.streams[o.stream].baseline(&o.c)
}

// baseline follows the share of unknown users slowly.
func (g *group) baseline(c *delivery.Counts) {
	if n := float64(c.First()); n > 0 {
		w := math.Min(0.02, n*0.0005)
		g.users += w * (float64(c.UnknownUser)/n - g.users)
	}
}

// update measures one cell. A private jump is a mixture of two worlds: one in
// which the pair went on as it was, one in which its private part was thrown
// anew; they are collapsed by their moments.
func (m *Model) update(o *observation) {
	p := m.pairs[o.p]
	gap := m.now - p.u.at
	list, conf, n := m.parts(p, o.stream)
	var mean, v float64
	for i := range n {
		list[i].forget(m.now, conf[i])
		mean += list[i].m
		v += list[i].v
	}
	vj := v + m.cfg.JumpVar
	m0, v0, z0 := measure(mean, v, o.y, o.n)
	m1, v1, z1 := measure(mean, vj, o.y, o.n)
	prior := clamp(m.cfg.JumpHazard*gap, 1e-5, 0.05)
	w := prior * math.Exp(clamp(z1-z0, -50, 50))
	w /= w + 1 - prior
	p.jump = math.Max(p.jump, w)
	for i := range n {
		b := list[i]
		jumped := b.v
		if b == &p.u {
			jumped += m.cfg.JumpVar
		}
		a0, a1 := b.v/v, jumped/vj
		ma, mb := b.m+a0*(m0-mean), b.m+a1*(m1-mean)
		va, vb := b.v-a0*a0*(v-v0), jumped-a1*a1*(vj-v1)
		mm := (1-w)*ma + w*mb
		b.v = math.Max(minVariance, (1-w)*(va+(ma-mm)*(ma-mm))+w*(vb+(mb-mm)*(mb-mm)))
		b.m = mm
	}
	p.own = p.own*math.Exp2(-(m.now-p.ownAt)/15) + o.n
	p.ownAt = m.now
	p.seen = true
}

// countMonth adds first outcomes to the ring of the last 30 days.
func (p *pair) countMonth(day int64, n uint32) {
	p.turnMonth(day)
	p.month[day%30] += n
}

func (p *pair) turnMonth(day int64) {
	if p.monthDay == 0 {
		p.monthDay = day
	}
	for ; p.monthDay < day && day-p.monthDay <= 30; p.monthDay++ {
		p.month[(p.monthDay+1)%30] = 0
	}
	if p.monthDay < day {
		p.month, p.monthDay = [30]uint32{}, day
	}
}

// month30 is the number of first outcomes in the 30 days up to a day.
func (p *pair) month30(day int64) uint32 {
	p.turnMonth(day)
	var n uint32
	for _, c := range p.month {
		n += c
	}
	return n
}
