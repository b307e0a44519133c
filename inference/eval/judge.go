package eval

import (
	"math"
	"slices"
)

// Quality is how well daily scores agree with the hidden truth.
type Quality struct {
	N                 int     // pair-days
	RMSE, Spearman    float64 // over all of them
	Cover50, Cover80  float64 // shares of intervals that hold the truth
	Cover95           float64
	Width             float64 // mean of the 80 % intervals
	Unknown           float64 // share called unknown
	Band              float64 // share of right bands of those known, 0/20/50/80
	Precision, Recall float64 // of S < 80
	LogScore          float64 // mean log density on the log-odds scale
}

// sample takes one of so many pair-days for the rank correlation.
const sample = 7

// tally collects rows of a Quality.
type tally struct {
	n, known, right         int
	in50, in80, in95        int
	tp, fp, fn              int
	squares, width, density float64
	said, true              []float64
}

// row is what one estimator says of a pair on a day: a mean, and a normal
// belief on the log-odds scale whose 80 % interval is lo to hi.
type row struct {
	score, lo, hi float64
	lo95, hi95    float64
	unknown       bool
}

func (t *tally) add(r row, truth float64) {
	x := math.Max(.5, math.Min(99.5, truth))
	t.n++
	t.squares += (r.score - truth) * (r.score - truth)
	t.width += r.hi - r.lo
	if r.lo <= x && x <= r.hi {
		t.in80++
	}
	if r.lo95 <= x && x <= r.hi95 {
		t.in95++
	}
	lo, hi := logit(r.lo), logit(r.hi)
	mid, sd := (lo+hi)/2, math.Max(.02, (hi-lo)/(2*1.2816))
	z := (logit(x) - mid) / sd
	if math.Abs(z) < .6745 {
		t.in50++
	}
	t.density += math.Max(-10, -z*z/2-math.Log(sd)-.9189)
	if !r.unknown {
		t.known++
		if band(r.score) == band(truth) {
			t.right++
		}
	}
	switch {
	case r.score < 80 && truth < 80:
		t.tp++
	case r.score < 80:
		t.fp++
	case truth < 80:
		t.fn++
	}
	if t.n%sample == 0 {
		t.said, t.true = append(t.said, r.score), append(t.true, truth)
	}
}

func logit(score float64) float64 {
	p := math.Max(1e-5, math.Min(1-1e-5, score/100))
	return math.Log(p / (1 - p))
}

func band(s float64) int {
	n := 0
	for _, edge := range [...]float64{20, 50, 80} {
		if s >= edge {
			n++
		}
	}
	return n
}

func (t *tally) quality() Quality {
	n := float64(max(1, t.n))
	return Quality{
		N: t.n, RMSE: math.Sqrt(t.squares / n), Spearman: spearman(t.said, t.true),
		Cover50: float64(t.in50) / n, Cover80: float64(t.in80) / n, Cover95: float64(t.in95) / n,
		Width: t.width / n, Unknown: 1 - float64(t.known)/n, Band: ratio(t.right, t.known),
		Precision: ratio(t.tp, t.tp+t.fp), Recall: ratio(t.tp, t.tp+t.fn), LogScore: t.density / n,
	}
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// spearman is the rank correlation; ties share their rank.
func spearman(x, y []float64) float64 {
	if len(x) < 3 {
		return 0
	}
	a, b := ranks(x), ranks(y)
	mean := float64(len(x)-1) / 2
	var ab, aa, bb float64
	for i := range a {
		p, q := a[i]-mean, b[i]-mean
		ab, aa, bb = ab+p*q, aa+p*p, bb+q*q
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return a - b
	})
	r := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			r[order[k]] = float64(i+j-1) / 2
		}
		i = j
	}
	return r
}
