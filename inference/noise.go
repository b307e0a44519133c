package inference

import "math"

// noise is what is known of a receiver's over-dispersion. Within a few hours a
// receiver treats a pair's mail alike, and in the next few a little
// differently: the log-odds of a block of hours scatter around the pair's with
// variance τ². Many messages of one block teach less than as many of several
// days.
//
// τ² is learned from neighbouring blocks of one pair, whose difference d holds
// no level: E(d²) = s + 2(pq)²·τ², with s the variance of counting. That is a
// weighted regression on x = 2(pq)², with the assumption as its prior.
type noise struct {
	xy, xx float64 // Σω·x·(d² − s), Σω·x²
}

const (
	noiseTrust = 20 // clear comparisons that the assumption is worth
	noiseKeep  = 0.9995
	noiseCap   = 9.0 // times the expected d² that one comparison may show
	noiseLeast = 0.01
	noiseMost  = 4.0
)

// tau2 is τ² as learned, drawn to what is known otherwise.
func (z *noise) tau2(prior float64) float64 {
	w := noiseTrust / (2 * prior * prior)
	return clamp((z.xy+w*prior)/(z.xx+w), noiseLeast, noiseMost)
}

// batch is a pair's mail in a block of hours, before it is discounted.
type batch struct {
	at         float64 // end of the block, days
	y, n, sqrs float64 // Σu, messages, Σu²
}

func (b *batch) add(o *observation) {
	b.y += o.y
	b.n += o.n
	b.sqrs += o.sqrs
}

// closeBatch compares a pair's batch with its last one.
func (m *Model) closeBatch(p *pair) {
	if p.open.n == 0 {
		return
	}
	p.open.at = m.now
	if p.open.at-p.last.at <= 1 {
		m.compare(&m.receivers[p.recv].noise, &p.last, &p.open)
	}
	p.last, p.open = p.open, batch{}
}

func (m *Model) compare(z *noise, a, b *batch) {
	if a.n < 2 || b.n < 2 {
		return
	}
	n := a.n + b.n
	mean := clamp((a.y+b.y+0.5)/(n+0.6), 0.02, 0.98)
	pq := mean * (1 - mean)
	count := clamp((a.sqrs+b.sqrs)/n-(a.y+b.y)*(a.y+b.y)/(n*n), pq/3, pq)
	s := count * (1/a.n + 1/b.n)
	x := 2 * pq * pq
	expected := s + x*m.noise.tau2(m.cfg.Noise)
	d := a.y/a.n - b.y/b.n
	excess := math.Min(d*d, noiseCap*expected) - s
	w := 1 / (2 * expected * expected)
	for _, z := range [...]*noise{z, &m.noise} {
		z.xy = noiseKeep*z.xy + w*x*excess
		z.xx = noiseKeep*z.xx + w*x*x
	}
}

// discount is what a message of a pair's batch is worth, of an independent
// one: of N in the block φ = 1/(1 + (N−1)·(ρ + pq·τ²)).
func (m *Model) discount(o *observation, expected float64) float64 {
	p := m.pairs[o.p]
	b := &p.open
	if b.n == 0 {
		b = &p.last
	}
	mean := (b.y + 2*expected) / (b.n + 2)
	tau2 := m.receivers[o.recv].noise.tau2(m.noise.tau2(m.cfg.Noise))
	return 1 / (1 + math.Max(0, b.n-1)*(m.cfg.Rho+mean*(1-mean)*tau2))
}
