package eval

import (
	"math"
	"testing"

	"repute/inference"
)

// The short evaluation: small worlds, in which the model must beat both
// baselines and keep its intervals. `make eval` measures the large ones.
func TestSmallWorlds(t *testing.T) {
	for _, l := range Levels() {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			f := Run(l.Small(), []uint64{501, 502, 503}, inference.Defaults())
			m := f.Model[0]
			t.Log("\n" + f.Table())
			if m.N < 5000 {
				t.Fatalf("only %d pair-days were judged", m.N)
			}
			if m.RMSE > 0.8*f.Beta.RMSE || m.RMSE > 0.8*f.Raw.RMSE {
				t.Errorf("RMSE %.2f against %.2f and %.2f of the baselines", m.RMSE, f.Beta.RMSE, f.Raw.RMSE)
			}
			least := .76
			if l.Switching > 0 { // known to be too sure there: docs/model.md
				least = .65
			}
			if m.Cover80 < least || m.Cover80 > .95 {
				t.Errorf("80 %% intervals hold the truth in %.2f", m.Cover80)
			}
			if g := f.Falls[0]; g.N < 20 || g.FalsePerYear > .6 {
				t.Errorf("%d falls, %.2f false alarms per pair-year", g.N, g.FalsePerYear)
			}
		})
	}
}

// A world is the same each time it is made: its evidence and its truth.
func TestWorldsRepeat(t *testing.T) {
	l := Levels()[1].Small()
	a, b := NewWorld(l, 7), NewWorld(l, 7)
	sum := func(w *World) (n uint64, truth float64) {
		for e := range w.Mail(nil) {
			n = n*31 + uint64(e.Accepted) + uint64(e.Hour)
		}
		for _, row := range w.smtp {
			for _, pair := range row {
				for _, s := range pair {
					if s < 0 || s > 100 || math.IsNaN(float64(s)) {
						t.Fatalf("a truth of %v", s)
					}
					truth += float64(s)
				}
			}
		}
		return n, truth
	}
	n1, t1 := sum(a)
	n2, t2 := sum(b)
	if n1 != n2 || t1 != t2 {
		t.Error("the same seed gave another world")
	}
}

func TestSpearman(t *testing.T) {
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}, 1},
		{[]float64{1, 2, 3, 4}, []float64{4, 3, 2, 1}, -1},
		{[]float64{1, 1, 2, 2}, []float64{1, 1, 2, 2}, 1},
		{[]float64{1, 1, 1}, []float64{1, 2, 3}, 0},
	} {
		if got := spearman(c.x, c.y); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
}
