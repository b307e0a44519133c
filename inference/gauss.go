package inference

import "math"

// belief is a normal belief about one part on the log-odds scale.
type belief struct {
	m, v float64
	at   float64 // days since 1970, of the last touch
}

// forget moves a belief forward in time: f = 2^(−Δ/half-life), m ← f·m,
// v ← v∞ + (v − v∞)·f².
func (b *belief) forget(at float64, p Part) {
	d := at - b.at
	if d <= 0 {
		return
	}
	f := math.Exp2(-d / p.HalfLife)
	b.m *= f
	b.v = p.Variance + (b.v-p.Variance)*f*f
	b.at = at
}

// at returns the belief moved forward, without touching it.
func (b belief) moved(at float64, p Part) belief {
	b.forget(at, p)
	return b
}

const minVariance = 1e-5

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// softplus is log(1 + e^x).
func softplus(x float64) float64 {
	if x > 30 {
		return x
	}
	return math.Log1p(math.Exp(x))
}

func clamp(x, lo, hi float64) float64 { return math.Max(lo, math.Min(hi, x)) }

// Gauss–Hermite nodes and weights for the standard normal distribution
// (Abramowitz & Stegun, table 25.10, scaled).
var (
	nodes5   = [...]float64{-2.8569700138728056, -1.3556261799742659, 0, 1.3556261799742659, 2.8569700138728056}
	weights5 = [...]float64{.011257411327720689, .22207592200561264, .53333333333333333, .22207592200561264, .011257411327720689}
	nodes7   = [...]float64{
		-3.7504397177257425, -2.3667594107345415, -1.1544053947399682, 0,
		1.1544053947399682, 2.3667594107345415, 3.7504397177257425,
	}
	weights7 = [...]float64{
		.00054826885597221779, .030757123967586497, .24012317860501271, .45714285714285714,
		.24012317860501271, .030757123967586497, .00054826885597221779,
	}
)

// measure updates a prior N(m, v) by n first outcomes of which y count as
// accepted: L(η) = exp(y·η − n·log(1+e^η)). It returns the posterior's mean
// and variance and the logarithm of the evidence.
func measure(m, v, y, n float64) (mean, variance, logZ float64) {
	x := mode(m, v, y, n)
	p := sigmoid(x)
	sd := 1.15 / math.Sqrt(n*p*(1-p)+1/v)
	var logs [len(nodes7)]float64
	top := math.Inf(-1)
	for k, z := range nodes7 {
		t := x + sd*z
		logs[k] = y*t - n*softplus(t) - (t-m)*(t-m)/(2*v) + z*z/2
		top = math.Max(top, logs[k])
	}
	var z, e, e2 float64
	for k, node := range nodes7 {
		w := weights7[k] * math.Exp(logs[k]-top)
		d := sd * node // around the mode: no cancellation
		z += w
		e += w * d
		e2 += w * d * d
	}
	e, e2 = e/z, e2/z
	return x + e, math.Max(1e-6, e2-e*e), top + math.Log(z*sd/math.Sqrt(v))
}

// mode finds the posterior's mode by Newton's method.
func mode(m, v, y, n float64) float64 {
	x := m
	for range 25 {
		p := sigmoid(x)
		d := clamp((y-n*p-(x-m)/v)/(n*p*(1-p)+1/v), -2, 2)
		x += d
		if math.Abs(d) < 1e-4 {
			break
		}
	}
	return x
}

// scoreMoments returns mean and standard deviation of 100·σ(η), η ~ N(m, v).
func scoreMoments(m, v float64) (mean, sd float64) {
	s := math.Sqrt(v)
	var e, e2 float64
	for k, z := range nodes5 {
		p := sigmoid(m + s*z)
		e += weights5[k] * p
		e2 += weights5[k] * p * p
	}
	return 100 * e, 100 * math.Sqrt(math.Max(0, e2-e*e))
}

// probBelow is P(100·σ(η) < score), η ~ N(m, v).
func probBelow(score, m, v float64) float64 {
	x := logit(clamp(score, 0.01, 99.99) / 100)
	return 0.5 * math.Erfc((m-x)/math.Sqrt(2*v))
}

// z80 is the normal quantile of an 80 % interval, z95 of a 95 % one.
const z80, z95 = 1.2816, 1.96
