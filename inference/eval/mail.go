package eval

import (
	"fmt"
	"iter"
	"math"

	"repute/delivery"
)

// start is the first hour of every world, a Monday.
const start = int64(1767571200) // 2026-01-05 00:00 UTC

// effects is what the events of a block do.
type effects struct {
	ip, net, recv, warm []float64
	pair                map[[2]int]float64
	out, own            []bool
	list, stream        [streams]float64
}

func (w *World) effects(block int) *effects {
	e := &effects{
		ip: make([]float64, w.IPs), warm: make([]float64, w.IPs), own: make([]bool, w.IPs), net: make([]float64, w.Networks),
		recv: make([]float64, w.Receivers), out: make([]bool, w.Receivers), pair: map[[2]int]float64{}, list: [streams]float64{1, 1, 1},
	}
	for i, day := range w.starts {
		if d := float64(block)/blocks - float64(day); day >= 0 && d >= 0 {
			e.warm[i] = -3 * math.Exp(-d/12) // a new IP is not trusted
		}
	}
	for i := range w.events {
		v := &w.events[i]
		if block < v.from {
			continue
		}
		during, fall := block < v.to, v.size
		if !during { // falls heal in two days, confounders at once
			fall *= math.Exp(-float64(block-v.to) / (2 * blocks))
		}
		switch v.cause {
		case "ip":
			e.ip[v.ip] -= fall
		case "neighbourhood":
			e.net[v.net] -= fall
		case "receiver":
			e.recv[v.recv] -= fall
		case "private":
			e.pair[[2]int{v.ip, v.recv}] -= fall
		case "outage":
			e.out[v.recv] = e.out[v.recv] || during
		case "own_network":
			e.own[v.ip] = e.own[v.ip] || during
		case "list":
			if during {
				e.list[v.stream] = math.Max(e.list[v.stream], v.size)
			}
		case "stream":
			if during {
				e.stream[v.stream] -= v.size
			}
		}
	}
	return e
}

// hit tells whether an event of reputation changes a pair's treatment.
func (w *World) hit(v *event, ip, recv int) bool {
	switch v.cause {
	case "ip":
		return v.ip == ip && w.receivers[recv].listed
	case "neighbourhood":
		return v.net == w.network[ip]
	case "receiver":
		return v.recv == recv
	case "private":
		return v.ip == ip && v.recv == recv
	}
	return false
}

// goodness is the hidden log-odds of a pair.
func (w *World) goodness(i, k int, e *effects) float64 {
	x := 3.5 + w.receivers[k].strict + w.ipPart[i] + w.netPart[w.network[i]] + w.pairPart[i][k] +
		e.net[w.network[i]] + e.recv[k] + e.pair[[2]int{i, k}] + e.warm[i]
	if w.receivers[k].listed {
		x += e.ip[i]
	}
	return x
}

// ips and receivers by name. Networks are /24s of a range for benchmarks.
func (w *World) ip(i int) string { return fmt.Sprintf("198.18.%d.%d", w.network[i], 1+i) }

func recvName(k int) string { return fmt.Sprintf("r%03d", k) }

// active tells whether an IP sends on a day.
func (w *World) active(i, day int) bool { return w.starts[i] < 0 || day >= w.starts[i] }

var weekday = [7]float64{1, 1.1, 1.1, 1.1, 1, .4, .35}

// Mail draws the mail of the whole period, hour by hour, and the truth with it.
// It can be run once. signal gets what seed mailboxes say; it may be nil.
func (w *World) Mail(signal func(delivery.Signal)) iter.Seq2[delivery.Evidence, error] {
	return func(yield func(delivery.Evidence, error) bool) {
		for block := range w.Days * blocks {
			hours := w.block(block, w.effects(block), signal)
			for h := range hours {
				for _, e := range hours[h] {
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

func (w *World) block(block int, e *effects, signal func(delivery.Signal)) (hours [blockHours][]delivery.Evidence) {
	g, day, step := w.r, block/blocks, math.Sqrt(1.0/blocks)
	for i := range w.IPs {
		w.ipPart[i] += w.DriftIP*step*g.NormFloat64() - .002*w.ipPart[i]/blocks
		spike := 1.0
		if g.Float64() < .01 {
			spike = 3 + 5*g.Float64()
		}
		ramp := 1.0
		if w.starts[i] >= 0 {
			ramp = math.Min(1, .02*math.Pow(1.25, float64(day-w.starts[i])))
		}
		for k := range w.receivers {
			r := &w.receivers[k]
			w.pairPart[i][k] += w.DriftPair*step*g.NormFloat64() - .01*w.pairPart[i][k]/blocks
			x := w.goodness(i, k, e)
			t := r.treat(x)
			w.smtp[i][k][block], w.full[i][k][block] = float32(t.smtp()), float32(t.full())
			if !w.active(i, day) {
				continue
			}
			if w.low[i][k]++; t.full() >= 20 {
				w.low[i][k] = 0
			}
			volume := w.volume[i][k] / blocks * weekday[day%7] * ramp * spike
			if w.Selection && w.low[i][k] > 3*blocks {
				volume *= .05
			}
			w.pairMail(&hours, block, i, k, poisson(g, volume), x, e)
			if signal != nil && block%blocks == blocks-1 && r.seeded && g.Float64() < .3 {
				w.seeds(i, k, day, t, signal)
			}
		}
	}
	return hours
}

// pairMail draws the outcomes of n messages of a pair and puts them into hours.
func (w *World) pairMail(hours *[blockHours][]delivery.Evidence, block, i, k, n int, x float64, e *effects) {
	if n == 0 {
		return
	}
	g := w.r
	x += w.Noise * g.NormFloat64()
	t := func(stream int) treatment { return w.receivers[k].treat(x + e.stream[stream]) }
	whole := [streams]float64{g.Float64(), g.Float64(), g.Float64()} // of receivers that switch
	left, share := n, 1.0
	for s := range streams {
		ns := left
		if s < streams-1 {
			ns = binomial(g, left, math.Min(1, w.mix[i][s]/math.Max(share, 1e-9)))
		}
		left, share = left-ns, share-w.mix[i][s]
		for ns > 0 { // a campaign goes out in one to three hours
			part := ns
			if ns > 3 && g.Float64() < .6 {
				part = 1 + g.IntN(ns-1)
			}
			ns -= part
			ev := delivery.Evidence{IP: w.ip(i), Receiver: recvName(k), Stream: [...]string{"tx", "news", "shop"}[s] + ".example"}
			h := g.IntN(blockHours)
			ev.Hour = start + int64(block*blockHours+h)*3600
			tr := t(s)
			if w.receivers[k].switching {
				tr = tr.whole(whole[s])
			}
			w.outcomes(&ev.Counts, i, k, s, part, float64(n), tr, e)
			w.evidence[i][k][block] += uint16(min(ev.Accepted+ev.DeferPolicy+ev.DeferSlow+ev.DeferQuick+ev.RejectPolicy, 1000))
			hours[h] = append(hours[h], ev)
		}
	}
}

// whole makes of shares one treatment of all mail.
func (t treatment) whole(u float64) treatment {
	switch {
	case u < t.refused:
		return treatment{refused: 1}
	case u < t.refused+t.deferred:
		return treatment{deferred: 1}
	case u < t.refused+t.deferred+t.folder:
		return treatment{folder: 1}
	}
	return treatment{inbox: 1}
}

// outcomes fills in the first outcomes of n messages as a log's reader classes
// them, mistakes included.
func (w *World) outcomes(c *delivery.Counts, i, k, s, n int, blockN float64, t treatment, e *effects) {
	g, r, left := w.r, &w.receivers[k], n
	take := func(p float64) (int, func(share float64) int) {
		x := binomial(g, left, p)
		left -= x
		return x, func(share float64) int { return binomial(g, x, share) }
	}
	if e.own[i] {
		x, _ := take(.9)
		c.Connection += uint32(x)
	}
	if e.out[k] {
		x, of := take(.8)
		missed := of(w.OutageMissed)
		c.Connection, c.DeferSlow = c.Connection+uint32(x-missed), c.DeferSlow+uint32(missed)
	}
	x, of := take(math.Min(.5, [streams]float64{.004, .02, .01}[s]*e.list[s]))
	leaked := of(w.Leak)
	c.UnknownUser, c.RejectPolicy = uint32(x-leaked), uint32(leaked)
	x, _ = take(.003)
	c.MailboxFull = uint32(x)
	if r.grey > 0 {
		x, of = take(r.grey * .6)
		missed := of(w.GreyMissed)
		c.Greylisted, c.DeferQuick = uint32(x-missed), uint32(missed)
	}
	if limit := w.volume[i][k] + 20; blockN > limit && (r.kind == 1 || r.kind == 3) { // whatever the reputation
		x, of = take((blockN - limit) / blockN)
		missed := of(.3)
		c.Throttled, c.DeferPolicy = uint32(x-missed), uint32(missed)
	}
	x, of = take(t.refused)
	mistaken := of(w.Mistaken)
	c.RejectPolicy, c.Other = c.RejectPolicy+uint32(x-mistaken), uint32(mistaken)
	x, of = take(t.deferred / math.Max(1e-9, 1-t.refused))
	quick := of(.25)
	c.DeferPolicy, c.DeferQuick = c.DeferPolicy+uint32(x-quick), c.DeferQuick+uint32(quick)
	c.Accepted = uint32(left)
}

// seeds tells where four seed mailboxes found the mail.
func (w *World) seeds(i, k, day int, t treatment, signal func(delivery.Signal)) {
	n := binomial(w.r, 4, 1-t.refused-.3*t.deferred)
	if n == 0 {
		return
	}
	spam := binomial(w.r, n, t.folder/math.Max(1e-9, 1-t.refused))
	signal(delivery.Signal{
		Day: start + int64(day)*86400, IP: w.ip(i), Receiver: recvName(k), Kind: delivery.SignalSeed, N: uint32(n), K: uint32(spam), Verified: true,
	})
}
