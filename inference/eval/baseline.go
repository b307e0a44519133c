package eval

import (
	"math"

	"repute/delivery"
)

// The two estimators that a postmaster could write in an evening.

// rawRate is the share of accepted mail of the last seven days, whatever was
// refused and why.
type rawRate struct {
	accepted, all map[pairKey]*[7]float64
	day           int
}

// betaBinomial keeps decayed counts of a pair alone: policy classes only, a
// half-life of seven days, the prior Beta(4.5, 0.5).
type betaBinomial struct {
	good, bad map[pairKey]*float64
}

type pairKey struct{ ip, recv string }

func newRaw() *rawRate {
	return &rawRate{accepted: map[pairKey]*[7]float64{}, all: map[pairKey]*[7]float64{}}
}

func (b *rawRate) add(e *delivery.Evidence) {
	k := pairKey{e.IP, e.Receiver}
	if b.all[k] == nil {
		b.accepted[k], b.all[k] = new([7]float64), new([7]float64)
	}
	b.accepted[k][b.day%7] += float64(e.Accepted)
	b.all[k][b.day%7] += float64(e.First())
}

func (b *rawRate) row(k pairKey) (row, bool) {
	var a, n float64
	if b.all[k] == nil {
		return row{}, false
	}
	for d := range 7 {
		a, n = a+b.accepted[k][d], n+b.all[k][d]
	}
	if n == 0 {
		return row{}, false
	}
	r := betaRow(a+.5, n-a+.5)
	r.score = 100 * a / n
	return r, true
}

func (b *rawRate) endDay() {
	b.day++
	for k := range b.all {
		b.accepted[k][b.day%7], b.all[k][b.day%7] = 0, 0
	}
}

func newBeta() *betaBinomial { return &betaBinomial{map[pairKey]*float64{}, map[pairKey]*float64{}} }

func (b *betaBinomial) add(e *delivery.Evidence) {
	k := pairKey{e.IP, e.Receiver}
	if b.good[k] == nil {
		b.good[k], b.bad[k] = new(float64), new(float64)
	}
	deferred := .5 * float64(e.DeferPolicy+e.DeferSlow+e.DeferQuick)
	*b.good[k] += float64(e.Accepted) + deferred
	*b.bad[k] += float64(e.RejectPolicy+e.RejectGeneric) + deferred
}

func (b *betaBinomial) row(k pairKey) (row, bool) {
	if b.good[k] == nil {
		return row{}, false
	}
	return betaRow(*b.good[k]+4.5, *b.bad[k]+.5), true
}

func (b *betaBinomial) endDay() {
	keep := math.Exp2(-1.0 / 7)
	for k := range b.good {
		*b.good[k] *= keep
		*b.bad[k] *= keep
	}
}

// betaRow is a Beta belief as its mean and its intervals by the normal law of
// its log-odds.
func betaRow(a, b float64) row {
	mid, sd := math.Log(a/b), math.Sqrt(1/a+1/b)
	at := func(z float64) float64 { return 100 * sigmoid(mid+z*sd) }
	r := row{score: 100 * a / (a + b), lo: at(-1.2816), hi: at(1.2816), lo95: at(-1.96), hi95: at(1.96)}
	r.unknown = r.hi-r.lo > 40
	return r
}
