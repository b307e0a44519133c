package inference

import (
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"repute/delivery"
)

// shaken is a world in which much happens: falls of every kind, outages, full
// of small pairs, with signals.
func shaken(seed uint64) (world, []delivery.Signal) {
	r := rand.New(rand.NewPCG(seed, 2))
	w := usual()
	w.days, w.perHour = 40, 2
	w.accept = func(ip, receiver, day int) float64 {
		switch {
		case ip == 1 && day > 12 && day < 20, receiver == 2 && day > 24 && day < 29, ip == 0 && receiver == 0 && day > 30:
			return 0.2
		}
		return 0.96
	}
	var signals []delivery.Signal
	for day := range w.days {
		signals = append(signals, delivery.Signal{
			Day: start + int64(day)*86400, IP: w.ips[r.IntN(4)], Receiver: w.receivers[r.IntN(5)], Kind: delivery.SignalSeed, N: 5, K: uint32(r.IntN(3)), Verified: true,
		})
	}
	return w, signals
}

// since yields what is not before a time.
func since(all iter.Seq2[delivery.Evidence, error], from time.Time) iter.Seq2[delivery.Evidence, error] {
	return func(yield func(delivery.Evidence, error) bool) {
		for e, err := range all {
			if e.Hour >= from.Unix() && !yield(e, err) {
				return
			}
		}
	}
}

// A model that goes on from a snapshot says the same, bit for bit, as one that
// has seen everything.
func TestSnapshot(t *testing.T) {
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("JST", 9*3600)} {
		cfg := Defaults()
		cfg.Zone = zone
		w, signals := shaken(3)
		m := New(cfg)
		m.AddSignals(signals)
		snapshots := map[time.Time][]byte{}
		m.OnDayEnd(func(next time.Time) { snapshots[next] = m.Snapshot() })
		var all []Estimate
		for e := range m.Estimate(w.evidence(3)) {
			all = append(all, e)
		}
		changes := m.Changes()
		if len(changes) < 3 || len(snapshots) < 30 {
			t.Fatalf("%d changes, %d snapshots: the world is too quiet", len(changes), len(snapshots))
		}
		for next, state := range snapshots {
			again := New(cfg)
			if err := again.Restore(state, next, signals); err != nil {
				t.Fatal(err)
			}
			var rest []Estimate
			for e := range again.Estimate(since(w.evidence(3), next)) {
				rest = append(rest, e)
			}
			want := all
			for len(want) > 0 && want[0].Day.Before(next) {
				want = want[1:]
			}
			if len(rest) != len(want) {
				t.Fatalf("from %v: %d estimates, want %d", next, len(rest), len(want))
			}
			for i := range rest {
				if rest[i] != want[i] {
					t.Fatalf("from %v: %+v, want %+v", next, rest[i], want[i])
				}
			}
			got := again.Changes()
			if len(got) != len(changes) {
				t.Fatalf("from %v: %d changes, want %d", next, len(got), len(changes))
			}
			for i := range got {
				// The pair is one of another model, and events have none.
				if (got[i].pair == nil) != (changes[i].pair == nil) {
					t.Fatalf("from %v: %+v is not tied as %+v", next, got[i], changes[i])
				}
				got[i].pair = changes[i].pair
				if got[i] != changes[i] {
					t.Fatalf("from %v: %+v, want %+v", next, got[i], changes[i])
				}
			}
		}
	}
}

// A snapshot that is cut or changed is an error or a state, never a crash.
func TestSnapshotDamaged(t *testing.T) {
	w, signals := shaken(4)
	m := New(Defaults())
	var state []byte
	var next time.Time
	m.OnDayEnd(func(n time.Time) { state, next = m.Snapshot(), n })
	for range m.Estimate(w.evidence(4)) {
	}
	for n := 0; n < len(state); n += 97 {
		if err := New(Defaults()).Restore(state[:n], next, signals); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a whole snapshot", n, len(state))
		}
	}
}

// The layout changes with the configuration.
func TestLayout(t *testing.T) {
	a := Defaults()
	b := Defaults()
	b.Rho *= 2
	c := Defaults()
	c.Zone = time.FixedZone("JST", 9*3600)
	if a.Layout() != Defaults().Layout() || a.Layout() == b.Layout() || a.Layout() == c.Layout() {
		t.Errorf("layouts %s, %s, %s", a.Layout(), b.Layout(), c.Layout())
	}
}
