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
	rows := []Evidence{
		{Hour: 7200, Origin: 1, Receiver: 1, Domain: 2, Counts: delivery.Counts{Accepted: 2, Attempts: 2}},
		{Hour: 3600, Origin: 1, Receiver: 1, Domain: 2, Counts: delivery.Counts{DeferSlow: ^uint32(0), DeferQuick: 1}},
		{Hour: 7200, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{RejectPolicy: 1, Listed: 1, Attempts: 3}},
	}
	var r roller
	hours := r.up(rows, byHour)
	want := []count{
		{3600, 1, 1, 0, 2, -1},
		{3600, 1, 1, 0, 3, 1},
		{7200, 1, 1, 0, 0, 2},
		{7200, 1, 1, 0, 4, 1},
		{7200, 1, 1, 0, 6, 1},
		{7200, 1, 1, 0, 15, 2},
	}
	if len(hours) != len(want) {
		t.Fatalf("%v", hours)
	}
	for i := range want {
		if hours[i] != want[i] {
			t.Errorf("row %d: %v, want %v", i, hours[i], want[i])
		}
	}
	if days := r.up(rows, byDay); len(days) != 6 || days[0] != (count{43200, 1, 1, 1, 4, 1}) {
		t.Errorf("days %v", days)
	}
}
