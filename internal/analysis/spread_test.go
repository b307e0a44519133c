package analysis

import (
	"testing"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/reports"
)

// Falls are counted among an IP's receivers and a receiver's IPs; other causes
// have no such number.
func TestSpread(t *testing.T) {
	change := func(ip, receiver, cause string) reports.Change {
		return reports.Change{IP: ip, Receiver: delivery.Receiver{ID: receiver}, Cause: cause, Drop: 50}
	}
	f := &reports.Findings{Changes: []reports.Change{
		change("192.0.2.1", "a.example", "ip"), change("192.0.2.1", "b.example", "ip"), change("192.0.2.2", "b.example", "receiver"),
	}}
	earlier := change("192.0.2.3", "c.example", "private")
	for _, p := range []struct {
		ip, receiver string
		fall         *reports.Change
	}{
		{"192.0.2.1", "a.example", &f.Changes[0]},
		{"192.0.2.1", "b.example", &f.Changes[1]},
		{"192.0.2.1", "c.example", nil},
		{"192.0.2.2", "b.example", &f.Changes[2]},
		{"192.0.2.3", "b.example", nil},
		{"192.0.2.3", "c.example", &earlier},
	} {
		f.Pairs = append(f.Pairs, reports.Pair{IP: p.ip, Receiver: delivery.Receiver{ID: p.receiver}, Fall: p.fall})
	}
	tellSpread(f)
	for i, want := range [][2]int{{2, 3}, {2, 3}, {2, 3}} {
		if c := &f.Changes[i]; c.Fell != want[0] || c.Of != want[1] {
			t.Errorf("change %d: %d of %d fell, want %v", i, c.Fell, c.Of, want)
		}
	}
	if earlier.Of != 0 {
		t.Errorf("a private fall is one of %d", earlier.Of)
	}
}

// An explanation looks back 30 days, and at no later fall.
func TestSpreadAt(t *testing.T) {
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	var estimates []inference.Estimate
	for _, ip := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"} {
		for _, d := range []time.Time{day.AddDate(0, 0, -7), day} {
			estimates = append(estimates, inference.Estimate{Day: d, IP: ip, Receiver: "a.example"})
		}
	}
	fall := func(ip string, days int, drop float64) inference.Change {
		return inference.Change{IP: ip, Receiver: "a.example", Time: day.AddDate(0, 0, days), Drop: drop}
	}
	s := spreadAt(day, estimates, []inference.Change{
		fall("192.0.2.1", -20, 50), fall("192.0.2.1", -2, 60), fall("192.0.2.2", -40, 50), fall("192.0.2.3", 1, 50), fall("192.0.2.4", -3, -50),
	})
	c := reports.Change{IP: "192.0.2.1", Receiver: delivery.Receiver{ID: "a.example"}, Cause: "receiver"}
	if s.tell(&c); c.Fell != 1 || c.Of != 4 {
		t.Errorf("%d of %d fell, want 1 of 4", c.Fell, c.Of)
	}
}

// Where a receiver turned against all sending IPs, no other one is named.
func TestAnotherHelps(t *testing.T) {
	for _, c := range []struct {
		code     string
		fell, of int
		want     bool
	}{{"receiver", 8, 8, false}, {"receiver", 0, 0, false}, {"receiver", 2, 8, true}, {"ip", 8, 8, true}, {"slow", 0, 0, true}} {
		if got := anotherHelps(&reports.Action{Code: c.code, Fell: c.fell, Of: c.of}); got != c.want {
			t.Errorf("%s, %d of %d: %v", c.code, c.fell, c.of, got)
		}
	}
}
