package eval

import (
	"math"
	"math/rand/v2"
)

// poisson draws from a Poisson law; above 30 by its normal approximation.
func poisson(g *rand.Rand, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		return int(math.Max(0, math.Round(mean+math.Sqrt(mean)*g.NormFloat64())))
	}
	limit, k, p := math.Exp(-mean), 0, 1.0
	for {
		if p *= g.Float64(); p <= limit {
			return k
		}
		k++
	}
}

// binomial draws from a binomial law; with a mean above 25 by its normal
// approximation.
func binomial(g *rand.Rand, n int, p float64) int {
	switch {
	case n <= 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > .5:
		return n - binomial(g, n, 1-p)
	}
	mean := float64(n) * p
	if mean > 25 {
		k := math.Round(mean + math.Sqrt(mean*(1-p))*g.NormFloat64())
		return int(math.Max(0, math.Min(k, float64(n))))
	}
	if n <= 12 {
		k := 0
		for range n {
			if g.Float64() < p {
				k++
			}
		}
		return k
	}
	ratio, f, u, k := p/(1-p), math.Pow(1-p, float64(n)), g.Float64(), 0
	for u > f && k < n { // inversion
		u -= f
		k++
		f *= ratio * float64(n-k+1) / float64(k)
	}
	return k
}
