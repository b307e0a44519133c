package inference

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// hypothesis is a candidate cause: its kind and what it names.
type hypothesis struct {
	kind Cause
	id   int
}

// claim says how a kind of cause is judged: the share π of its cells that must
// agree, the prior, and from how many places support must come.
type claim struct {
	kind    Cause
	agree   int // index into agreements
	prior   float64
	support int
}

// agreements are the shares of its cells that must agree with a cause.
var agreements = [...]float64{0.75, 0.93, 0.98}

var claims = [...]claim{
	{CauseIP, 0, -4, 3},            // of 3 receivers
	{CauseNeighbourhood, 1, -5, 2}, // of 2 IPs
	{CauseReceiver, 1, -5, 2},      // of 2 IPs
	{CausePrivate, 2, -6.5, 1},     // itself
	{CauseStream, 1, -3.5, 4},      // of 4 pairs
	{causeFamily, 1, -3.5, 4},      // of 4 pairs
}

// causeFamily is a family of streams; it is told as CauseStream.
const causeFamily Cause = "family"

var shifts = [...]float64{-1.5, -3, -5}

// evidenceCell is one (pair, stream) over the last day or two.
type evidenceCell struct {
	p, ip, net, recv, stream, family int
	y, n                             float64
	ll                               [len(shifts)]float64
	says                             [len(agreements)][len(shifts)]float64 // log(π·e^ℓ + 1 − π)
	done                             bool
}

func (c *evidenceCell) best() float64 { return slices.Max(c.ll[:]) }

// id is what the cell stands for under a kind of cause; −1 if nothing.
func (c *evidenceCell) id(k Cause) int {
	switch k {
	case CauseIP:
		return c.ip
	case CauseNeighbourhood:
		return c.net
	case CauseReceiver:
		return c.recv
	case CauseStream:
		return c.stream
	case causeFamily:
		return c.family
	}
	return c.p
}

// place is where support under a kind of cause comes from.
func (c *evidenceCell) place(k Cause) int {
	switch k {
	case CauseIP:
		return c.recv
	case CauseNeighbourhood, CauseReceiver:
		return c.ip
	}
	return c.p
}

// attribute names the causes of the day's changes, and the events that are
// not reputation.
func (m *Model) attribute(day time.Time) {
	m.confounders(day)
	if len(m.open) == 0 && len(m.unclaimed) == 0 {
		m.fell = m.fell[:0]
		return
	}
	labels := map[int]found{}
	var shared []found
	// Over two days there is more evidence, over one a fall of today is not
	// diluted by yesterday: the better explanation counts. A fall of the evening
	// shows in the last hours alone.
	for _, from := range [...]time.Time{day.AddDate(0, 0, -1), day} {
		shared = append(shared, explain(m.recentCells(from), m, labels, true)...)
	}
	end := day.AddDate(0, 0, 1)
	for _, from := range [...]time.Time{end.Add(-12 * time.Hour), end.Add(-6 * time.Hour)} {
		shared = append(shared, explain(m.recentCells(from), m, labels, false)...)
	}
	shared = append(shared, m.fell...)
	m.fell = m.fell[:0]
	slices.SortStableFunc(shared, func(a, b found) int { return cmp.Compare(b.score, a.score) })
	pts := m.points()
	for _, i := range m.unclaimed { // of yesterday: today tells more
		ch := m.changes[i]
		if m.label(&ch, pts[ch.pair], labels, shared); ch.Confidence > m.changes[i].Confidence {
			m.changes[i] = ch
		}
	}
	m.unclaimed = m.unclaimed[:0]
	for _, ch := range m.open {
		if !m.label(&ch, pts[ch.pair], labels, shared) {
			m.unclaimed = append(m.unclaimed, len(m.changes))
		}
		m.changes = append(m.changes, ch)
	}
	m.open = m.open[:0]
}

// explain takes the best cause of the cells again and again, each time of
// those not explained yet. It labels pairs without a label, and where better
// also those whose label was worse, and returns the causes that several pairs
// share.
func explain(cells []evidenceCell, m *Model, labels map[int]found, better bool) (shared []found) {
	claimed := map[int]Cause{}
	for {
		h, score, ok := m.bestHypothesis(cells)
		if !ok {
			return shared
		}
		if h.kind != CausePrivate {
			shared = append(shared, found{h, score})
		}
		for i := range cells {
			c := &cells[i]
			if c.done || c.id(h.kind) != h.id || c.best() <= 0 {
				continue
			}
			c.done = true
			// A cause that explains other streams of the pair too beats its stream.
			if k, ok := claimed[c.p]; ok && k != CauseStream && k != causeFamily {
				continue
			}
			claimed[c.p] = h.kind
			if old, ok := labels[c.p]; !ok || better && (old.score < score || old.kind == CauseStream || old.kind == causeFamily) {
				labels[c.p] = found{h, score}
			}
		}
	}
}

type found struct {
	hypothesis
	score float64
}

// label gives a change its cause, and tells whether one claimed it. A pair
// whose own mail no cause claims fell with a part that it shares, where one of
// those fell today; else it is private, of low confidence.
func (m *Model) label(ch *Change, pts []point, labels map[int]found, shared []found) (claimed bool) {
	if ch.Drop < 0 {
		ch.Entity = ch.IP
		return true
	}
	if hour, ok := ch.pair.onset(pts); ok && ch.Cause == "" {
		ch.Time = time.Unix(hour, 0).In(m.cfg.Zone)
	}
	f, ok := labels[m.pairID[[2]int{ch.pair.ip, ch.pair.recv}]]
	for i := 0; !ok && i < len(shared); i++ {
		f, ok = shared[i], m.shares(ch.pair, shared[i].hypothesis)
	}
	if !ok {
		ch.Cause, ch.Entity, ch.Confidence = CausePrivate, ch.IP+" at "+ch.Receiver, 0.5
		return false
	}
	ch.Cause = f.kind
	ch.Confidence = 1 - 0.5*math.Exp(-f.score/4)
	switch f.kind {
	case causeFamily:
		ch.Cause, ch.Entity = CauseStream, m.families[f.id].name
	case CauseIP:
		ch.Entity = ch.IP
	case CauseNeighbourhood:
		ch.Entity = m.nets[f.id].name
	case CauseReceiver:
		ch.Entity = ch.Receiver
	case CauseStream:
		ch.Entity = m.streams[f.id].name
	default:
		ch.Entity = ch.IP + " at " + ch.Receiver
	}
	return true
}

// shares tells whether a pair has the part that a cause names.
func (m *Model) shares(p *pair, h hypothesis) bool {
	switch h.kind {
	case CauseIP:
		return p.ip == h.id
	case CauseNeighbourhood:
		return m.ips[p.ip].net == h.id
	case CauseReceiver:
		return p.recv == h.id
	}
	return false
}

// recentCells adds up the hours from a time on by pair and stream, and
// compares each with the pair's reference of days −7…−3.
func (m *Model) recentCells(since time.Time) []evidenceCell {
	from := since.Unix()
	index := map[[2]int]int{}
	var cells []evidenceCell
	for i := range m.window {
		o := &m.window[i]
		if o.hour < from || o.n <= 0 {
			continue
		}
		key := [2]int{o.p, o.stream}
		j, ok := index[key]
		if !ok {
			j = len(cells)
			index[key] = j
			cells = append(cells, evidenceCell{p: o.p, ip: o.ip, net: m.ips[o.ip].net, recv: o.recv, stream: o.stream, family: m.streams[o.stream].family})
		}
		cells[j].y += o.y
		cells[j].n += o.n
	}
	kept := cells[:0]
	for _, c := range cells {
		ref, ok := m.pairs[c.p].reference(3, 7)
		if !ok {
			continue
		}
		mean := logit(clamp(ref/100, 0.02, 0.985))
		ll := func(d float64) float64 { return c.y*(mean+d) - c.n*softplus(mean+d) }
		null := math.Max(ll(0), math.Max(ll(-0.6), ll(0.6)))
		for k, d := range shifts {
			c.ll[k] = clamp(ll(d)-null, -4, 6)
			ratio := math.Exp(c.ll[k])
			for i, agree := range agreements {
				c.says[i][k] = math.Log(agree*ratio + 1 - agree)
			}
		}
		kept = append(kept, c)
	}
	slices.SortFunc(kept, func(a, b evidenceCell) int { return cmp.Or(cmp.Compare(a.p, b.p), cmp.Compare(a.stream, b.stream)) })
	return kept
}

// bestHypothesis finds the cause that explains the cells not yet explained
// best: Σ log(π·e^ℓ + 1 − π) + prior, above 3 and with enough support.
func (m *Model) bestHypothesis(cells []evidenceCell) (best hypothesis, score float64, ok bool) {
	score = 3
	for _, cl := range claims {
		var sole map[int]bool
		if cl.kind == CauseStream || cl.kind == causeFamily {
			sole = soleStreams(cells, cl.kind)
		}
		sums := make([][len(shifts)]float64, m.number(cl.kind))
		var ids []int // in the order in which the cells name them
		for i := range cells {
			c := &cells[i]
			id := c.id(cl.kind)
			if c.done || id < 0 || sole[id] {
				continue
			}
			if sums[id] == ([len(shifts)]float64{}) {
				ids = append(ids, id)
			}
			for k := range shifts {
				sums[id][k] += c.says[cl.agree][k]
			}
		}
		for _, id := range ids {
			if s := slices.Max(sums[id][:]) + cl.prior; s > score+1e-9 && supported(cells, &cl, id) {
				best, score, ok = hypothesis{cl.kind, id}, s, true
			}
		}
	}
	return best, score, ok
}

// number is how many things of a kind there are.
func (m *Model) number(kind Cause) int {
	switch kind {
	case CauseIP:
		return len(m.ips)
	case CauseNeighbourhood:
		return len(m.nets)
	case CauseReceiver:
		return len(m.receivers)
	case CauseStream:
		return len(m.streams)
	case causeFamily:
		return len(m.families)
	}
	return len(m.pairs)
}

// supported tells whether cells of enough places speak for a cause.
func supported(cells []evidenceCell, cl *claim, id int) bool {
	places := map[int]bool{}
	for i := range cells {
		if c := &cells[i]; !c.done && c.id(cl.kind) == id && c.best() > 1 {
			if places[c.place(cl.kind)] = true; len(places) >= cl.support {
				return true
			}
		}
	}
	return false
}

// soleStreams are the streams, or families of them, that one IP sends and that
// are all it sends: nothing tells the stream from the IP, and the IP is what
// the receiver keeps its opinion of.
func soleStreams(cells []evidenceCell, kind Cause) map[int]bool {
	ips, streams := map[int]map[int]bool{}, map[int]map[int]bool{} // by stream, by IP
	for i := range cells {
		c := &cells[i]
		id := c.id(kind)
		if ips[id] == nil {
			ips[id] = map[int]bool{}
		}
		if streams[c.ip] == nil {
			streams[c.ip] = map[int]bool{}
		}
		ips[id][c.ip] = true
		streams[c.ip][id] = true
	}
	sole := map[int]bool{}
	for i := range cells {
		if id := cells[i].id(kind); len(ips[id]) == 1 && len(streams[cells[i].ip]) == 1 {
			sole[id] = true
		}
	}
	return sole
}
