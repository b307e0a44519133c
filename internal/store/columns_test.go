package store

import (
	"math"
	"testing"

	"repute/delivery"
)

func TestLatency(t *testing.T) {
	if got := latency(-1); got != 0 {
		t.Errorf("unknown is %d", got)
	}
	if got := latency(0); got != 1 {
		t.Errorf("0 is %d", got)
	}
	if got := latency(float32(math.Inf(1))); got != 255 {
		t.Errorf("without end is %d", got)
	}
	for s := 0.001; s < 5e5; s *= 1.01 {
		got := math.Exp2(float64(latency(float32(s))-1)/8 - 10)
		if math.Abs(got/s-1) > 0.06 {
			t.Fatalf("%g s comes back as %g", s, got)
		}
	}
}

// Evidence of one batch in both rollups: corrections too, and attempts beyond
// the first outcomes apart.
func TestRollup(t *testing.T) {
	rows := CountsOf([]Evidence{
		{Hour: 7200, Origin: 1, Receiver: 1, Domain: 2, Counts: delivery.Counts{Accepted: 2, Attempts: 2}},
		{Hour: 3600, Origin: 1, Receiver: 1, Domain: 2, Counts: delivery.Counts{DeferSlow: ^uint32(0), DeferQuick: 1}},
		{Hour: 7200, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{RejectPolicy: 1, Listed: 1, Attempts: 3}},
	}...)
	var r roller
	hours := r.up(rows, byHour)
	want := []Count{
		{3600, 1, 1, 0, -1, 2},
		{3600, 1, 1, 0, 1, 3},
		{7200, 1, 1, 0, 2, 0},
		{7200, 1, 1, 0, 1, 4},
		{7200, 1, 1, 0, 1, 6},
		{7200, 1, 1, 0, 2, 15},
	}
	if len(hours) != len(want) {
		t.Fatalf("%v", hours)
	}
	for i := range want {
		if hours[i] != want[i] {
			t.Errorf("row %d: %v, want %v", i, hours[i], want[i])
		}
	}
	if days := r.up(rows, byDay); len(days) != 6 || days[0] != (Count{43200, 1, 1, 1, 1, 4}) {
		t.Errorf("days %v", days)
	}
}

// An outcome's number is that of the count which a class is booked under.
func TestOutcomeOf(t *testing.T) {
	for class := delivery.ClassNone; class <= delivery.ClassOther; class++ {
		e := Evidence{}
		e.Book(class, 1, false)
		e.Attempts = 1
		if got := CountsOf(e); len(got) != 1 || got[0].What != OutcomeOf(class) {
			t.Errorf("%s is %d, booked as %v", class, OutcomeOf(class), got)
		}
	}
}
