// Package eval judges the model on worlds with a hidden truth: how far off
// its scores are, how often its intervals hold, which falls it finds and when,
// and whether it names their cause. `make eval` prints the table.
//
// The worlds are not of the model's form on purpose: receivers split their
// treatment in their own ways, some switch at a threshold, part of them use a
// block list, noise is shared by the mail of six hours, classes are mistaken.
package eval

import (
	"math"
	"math/rand/v2"
)

// Level is how hard a world is. Rates are per year and thing.
type Level struct {
	Name                      string
	IPs, Networks, Hosts      int
	Receivers, Days           int
	Largest, Smallest         float64 // messages a day of the largest and the smallest receiver
	Mistaken                  float64 // policy refusals that look like something else
	Leak                      float64 // unknown users refused in policy words
	GreyMissed, OutageMissed  float64 // greylisting, outages that only say "try later"
	Noise                     float64 // log-odds, standard deviation, per pair and six hours
	DriftIP, DriftPair        float64 // log-odds per √day
	IPFalls, PairFalls        float64
	NetworkFalls, Tightenings float64
	Outages, OwnOutages       float64
	Lists, Contents           float64
	SmallestFall, LargestFall float64 // log-odds
	Steep                     float64 // share of receivers that switch at a threshold
	Switching                 float64 // share of receivers that treat whole blocks of hours alike
	Selection                 bool    // blocked pairs stop sending, but for probes
	Seeded, Cold              float64 // share of receivers with seeds, of IPs that start within the period
}

// Levels are the easy, the medium and the hard world, and one whose receivers
// switch by blocks of hours at thresholds, which is farthest from the model.
func Levels() []Level {
	easy := Level{
		Name: "1 easy", IPs: 20, Networks: 4, Hosts: 2, Receivers: 60, Days: 120, Largest: 1e6, Smallest: 2000,
		Mistaken: .005, Leak: .005, GreyMissed: .05, OutageMissed: .05, Noise: .15, DriftIP: .03, DriftPair: .05,
		IPFalls: 2, PairFalls: .5, NetworkFalls: 1, Tightenings: .5, Outages: 2, OwnOutages: 1, Lists: 3, Contents: 2,
		SmallestFall: 4, LargestFall: 7, Seeded: .5, Cold: .1,
	}
	medium := Level{
		Name: "2 medium", IPs: 40, Networks: 8, Hosts: 3, Receivers: 250, Days: 120, Largest: 1e6, Smallest: 5,
		Mistaken: .03, Leak: .015, GreyMissed: .2, OutageMissed: .2, Noise: .3, DriftIP: .05, DriftPair: .08,
		IPFalls: 2, PairFalls: .5, NetworkFalls: 1, Tightenings: .5, Outages: 3, OwnOutages: 2, Lists: 4, Contents: 3,
		SmallestFall: 3, LargestFall: 6, Steep: .15, Selection: true, Seeded: .1, Cold: .15,
	}
	hard := Level{
		Name: "3 hard", IPs: 40, Networks: 8, Hosts: 3, Receivers: 250, Days: 120, Largest: 1e5, Smallest: 5,
		Mistaken: .08, Leak: .04, GreyMissed: .4, OutageMissed: .4, Noise: .5, DriftIP: .08, DriftPair: .12,
		IPFalls: 3, PairFalls: 1, NetworkFalls: 2, Tightenings: 1, Outages: 6, OwnOutages: 4, Lists: 8, Contents: 6,
		SmallestFall: 2, LargestFall: 6, Steep: .3, Selection: true, Seeded: .03, Cold: .2,
	}
	strange := medium
	strange.Name, strange.Steep, strange.Switching = "4 strange", .6, .5
	return []Level{easy, medium, hard, strange}
}

// Small returns the level with fewer IPs, receivers and days, for a test.
func (l Level) Small() Level {
	l.Name += ", small"
	l.IPs, l.Networks, l.Receivers, l.Days = 12, 3, 40, 45
	l.Largest, l.Smallest = 3000, 5
	return l
}

const (
	blockHours = 6
	blocks     = 24 / blockHours // a day
	streams    = 3
	settle     = 14 // days before anything is judged
)

// event is a hidden event: what falls, or a confounder.
type event struct {
	cause         string // inference.Cause, by name
	ip, recv, net int    // −1: any
	stream        int
	from, to      int // blocks
	size          float64
}

// how a receiver of each kind splits its bad treatment: folder, deferral,
// refusal; the kinds are blocker, throttler, folderer, mixed.
var splits = [...][3]float64{{.05, .2, .75}, {.1, .65, .25}, {.8, .1, .1}, {.3, .35, .35}}

// treatment is a receiver's policy: the shares of mail that it takes to the
// inbox, to the folder, defers and refuses.
type treatment struct{ inbox, folder, deferred, refused float64 }

// smtp is the truth that a log can show, 0 to 100.
func (t treatment) smtp() float64 { return 100 * (t.inbox + t.folder + .5*t.deferred) }

// full counts the folder for a quarter.
func (t treatment) full() float64 { return 100 * (t.inbox + .25*t.folder + .5*t.deferred) }

type receiver struct {
	kind             int
	steep, switching bool
	grey             float64 // share of mail that is greylisted
	listed           bool    // uses the block list on which IPs fall
	seeded           bool
	strict           float64
}

// treat is what a receiver does with mail of a hidden goodness.
func (r *receiver) treat(x float64) treatment {
	y := x
	if r.steep {
		y = 4*x - 3
	}
	in := sigmoid(y)
	bad, worse := 1-in, .5*sigmoid(-(x+2))
	w := splits[r.kind]
	t := treatment{inbox: in, folder: bad * w[0] * (1 - worse), deferred: bad * w[1] * (1 - worse)}
	t.refused = bad - t.folder - t.deferred
	return t
}

// World is a hidden truth and the generator of what a log shows of it.
type World struct {
	Level
	r         *rand.Rand
	network   []int // of an IP
	receivers []receiver
	volume    [][]float64 // messages a day of a pair
	mix       [][streams]float64
	starts    []int // day on which an IP starts; −1: before
	ipPart    []float64
	netPart   []float64
	pairPart  [][]float64
	events    []event
	low       [][]int // blocks for which a pair has been blocked

	smtp, full [][][]float32 // [ip][receiver][block]
	evidence   [][][]uint16  // first outcomes of a pair and block that tell something
}

// NewWorld makes a world; the same level and seed give the same world.
func NewWorld(l Level, seed uint64) *World {
	w := &World{Level: l, r: rand.New(rand.NewPCG(seed, 0x5eed))}
	g := w.r
	hosts := make([]float64, l.Hosts)
	for i := range hosts {
		hosts[i] = .4 * g.NormFloat64()
	}
	for n := range l.Networks {
		w.netPart = append(w.netPart, .4*g.NormFloat64()+hosts[n%l.Hosts])
	}
	share, total := make([]float64, l.IPs), 0.0
	for i := range l.IPs {
		a := .7 * g.NormFloat64()
		if g.Float64() < .12 { // some are just bad
			a -= 2.5
		}
		start := -1
		if g.Float64() < l.Cold {
			start = g.IntN(l.Days / 2)
		}
		w.network = append(w.network, i%l.Networks)
		w.ipPart, w.starts = append(w.ipPart, a), append(w.starts, start)
		w.mix = append(w.mix, [...][streams]float64{{.85, 0, .15}, {0, .9, .1}, {.3, .4, .3}}[g.IntN(3)])
		share[i] = math.Exp(.8 * g.NormFloat64())
		total += share[i]
	}
	w.makeReceivers()
	slope := math.Log(l.Largest/l.Smallest) / math.Log(float64(l.Receivers))
	for i := range l.IPs {
		vol, part := make([]float64, l.Receivers), make([]float64, l.Receivers)
		for k := range vol {
			vol[k] = l.Largest * math.Pow(float64(k+1), -slope) * share[i] / total * math.Exp(.5*g.NormFloat64())
			part[k] = .6 * g.NormFloat64()
		}
		w.volume, w.pairPart = append(w.volume, vol), append(w.pairPart, part)
		w.low = append(w.low, make([]int, l.Receivers))
		w.smtp, w.full = append(w.smtp, grid[float32](l)), append(w.full, grid[float32](l))
		w.evidence = append(w.evidence, grid[uint16](l))
	}
	w.makeEvents()
	return w
}

func grid[T any](l Level) [][]T {
	out := make([][]T, l.Receivers)
	for i := range out {
		out[i] = make([]T, l.Days*blocks)
	}
	return out
}

func (w *World) makeReceivers() {
	g := w.r
	for k := range w.Receivers {
		r := receiver{kind: g.IntN(len(splits))}
		if k < 3 { // the largest folders, then a blocker and a throttler
			r.kind = [...]int{2, 0, 1}[k]
		}
		r.steep = g.Float64() < w.Steep
		if g.Float64() < .15 && k > 3 {
			r.grey = .1 + .4*g.Float64()
		}
		r.listed = g.Float64() < .7
		r.seeded = g.Float64() < w.Seeded || k < 3
		r.strict = .8 * g.NormFloat64()
		r.switching = w.Switching > 0 && g.Float64() < w.Switching
		w.receivers = append(w.receivers, r)
	}
}

func (w *World) makeEvents() {
	g := w.r
	years := float64(w.Days) / 365
	some := func(rate float64, things int, add func(k, at int)) {
		for k := range things {
			for range poisson(g, rate*years) {
				add(k, settle*blocks+g.IntN((w.Days-settle-4)*blocks))
			}
		}
	}
	length := func(lo, hi float64) int { return max(1, int((lo+(hi-lo)*g.Float64())*blocks)) }
	size := func() float64 { return w.SmallestFall + (w.LargestFall-w.SmallestFall)*g.Float64() }
	add := func(cause string, ip, recv, net, stream, at, length int, size float64) {
		w.events = append(w.events, event{cause, ip, recv, net, stream, at, at + length, size})
	}
	some(w.IPFalls, w.IPs, func(k, at int) { add("ip", k, -1, -1, -1, at, length(3, 14), size()) })
	some(w.NetworkFalls, w.Networks, func(k, at int) { add("neighbourhood", -1, -1, k, -1, at, length(3, 20), .8*size()) })
	some(w.Tightenings, w.Receivers, func(k, at int) { add("receiver", -1, k, -1, -1, at, length(5, 60), .7*size()) })
	for i := range w.IPs {
		some(w.PairFalls, w.Receivers, func(k, at int) { add("private", i, k, -1, -1, at, length(3, 30), size()) })
	}
	some(w.Outages, w.Receivers, func(k, at int) { add("outage", -1, k, -1, -1, at, 1+g.IntN(6), 0) })
	some(w.OwnOutages, w.IPs, func(k, at int) { add("own_network", k, -1, -1, -1, at, 1+g.IntN(3), 0) })
	some(w.Lists, streams, func(k, at int) { add("list", -1, -1, -1, k, at, length(1, 4), 5+15*g.Float64()) })
	some(w.Contents, streams, func(k, at int) { add("stream", -1, -1, -1, k, at, length(1, 5), .7*size()) })
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
