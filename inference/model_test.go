package inference

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"repute/delivery"
)

const start = int64(1767225600) // 2026-01-01 00:00 UTC

// world is a synthetic truth: how a receiver treats an IP on a day.
type world struct {
	ips, receivers []string
	perHour        int
	days           int
	accept         func(ip, receiver, day int) float64
}

// evidence draws an hour's outcomes for every pair. Hours 8 to 20 have mail.
func (w world) evidence(seed uint64) iter.Seq2[delivery.Evidence, error] {
	return func(yield func(delivery.Evidence, error) bool) {
		r := rand.New(rand.NewPCG(seed, 1))
		for h := range w.days * 24 {
			if h%24 < 8 || h%24 > 20 {
				continue
			}
			for i, ip := range w.ips {
				for j, recv := range w.receivers {
					e := delivery.Evidence{Hour: start + int64(h)*3600, IP: ip, Receiver: recv, Stream: "news.example.com"}
					p := w.accept(i, j, h/24)
					for range w.perHour {
						if r.Float64() < p {
							e.Accepted++
						} else {
							e.RejectPolicy++
						}
					}
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}

func usual() world {
	return world{
		ips:       []string{"192.0.2.1", "192.0.2.2", "198.51.100.1", "198.51.100.2"},
		receivers: []string{"gmail", "outlook", "yahoo", "docomo", "gmx"},
		perHour:   4, days: 21,
		accept: func(int, int, int) float64 { return 0.97 },
	}
}

func run(t *testing.T, w world, seed uint64) ([]Estimate, []Change) {
	t.Helper()
	m := New(Defaults())
	var all []Estimate
	for e, err := range m.Estimate(w.evidence(seed)) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all, m.Changes()
}

func at(all []Estimate, day int, ip, receiver string) Estimate {
	want := time.Unix(start, 0).UTC().AddDate(0, 0, day)
	for _, e := range all {
		if e.Day.Equal(want) && e.IP == ip && e.Receiver == receiver {
			return e
		}
	}
	return Estimate{Score: math.NaN()}
}

func TestSteady(t *testing.T) {
	all, changes := run(t, usual(), 1)
	if len(changes) != 0 {
		t.Errorf("nothing happened, yet: %+v", changes)
	}
	e := at(all, 20, "192.0.2.1", "gmail")
	if math.Abs(e.Score-97) > 3 || e.Unknown || e.Borrowed || e.Band != "trusted" || e.Lo > 97 || e.Hi < 95 {
		t.Errorf("%+v, want about 97", e)
	}
}

// Each kind of fall is found, on its day, with its cause; the others stay.
func TestCauses(t *testing.T) {
	for name, c := range map[string]struct {
		hit    func(ip, receiver int) bool
		cause  Cause
		entity string
		pairs  int
	}{
		"private":       {func(i, r int) bool { return i == 0 && r == 3 }, CausePrivate, "192.0.2.1 at docomo", 1},
		"ip":            {func(i, _ int) bool { return i == 2 }, CauseIP, "198.51.100.1", 5},
		"neighbourhood": {func(i, r int) bool { return i < 2 && r < 4 }, CauseNeighbourhood, "192.0.2.0/24", 8},
		"receiver":      {func(_, r int) bool { return r == 1 }, CauseReceiver, "outlook", 4},
	} {
		t.Run(name, func(t *testing.T) {
			w := usual()
			w.accept = func(i, r, day int) float64 {
				if c.hit(i, r) && day >= 14 {
					return 0.25
				}
				return 0.97
			}
			all, changes := run(t, w, 2)
			found := 0
			for _, ch := range changes {
				i, r := slices.Index(w.ips, ch.IP), slices.Index(w.receivers, ch.Receiver)
				if !c.hit(i, r) {
					t.Errorf("a fall that was none: %+v", ch)
					continue
				}
				found++
				if ch.Cause != c.cause || ch.Entity != c.entity {
					t.Errorf("cause %s of %s, want %s of %s", ch.Cause, ch.Entity, c.cause, c.entity)
				}
				if d := ch.Time.YearDay() - 15; d < -1 || d > 1 {
					t.Errorf("began on %s, want 15 January", ch.Time)
				}
				if ch.Drop < 20 || ch.Confidence < 0.5 {
					t.Errorf("drop %.0f, confidence %.2f", ch.Drop, ch.Confidence)
				}
			}
			if found != c.pairs {
				t.Errorf("%d pairs found, want %d", found, c.pairs)
			}
			for i, ip := range w.ips {
				for r, recv := range w.receivers {
					e := at(all, 20, ip, recv)
					if hit := c.hit(i, r); hit && e.Score > 50 || !hit && e.Score < 85 {
						t.Errorf("%s at %s: %.0f", ip, recv, e.Score)
					}
				}
			}
		})
	}
}

// A receiver that can't be reached is an outage, not a fall.
func TestOutage(t *testing.T) {
	m := New(Defaults())
	w := usual()
	var all []Estimate
	evidence := func(yield func(delivery.Evidence, error) bool) {
		for e := range w.evidence(3) {
			if e.Receiver == "yahoo" && (e.Hour-start)/86400 == 15 {
				e.Counts = delivery.Counts{Connection: 3, DeferSlow: 1}
			}
			if !yield(e, nil) {
				return
			}
		}
	}
	for e := range m.Estimate(evidence) {
		all = append(all, e)
	}
	outage := false
	for _, c := range m.Changes() {
		if c.Cause == CauseOutage && c.Receiver == "yahoo" {
			outage = true
		} else {
			t.Errorf("%+v", c)
		}
	}
	if !outage {
		t.Error("the outage was not told")
	}
	if e := at(all, 15, "192.0.2.1", "yahoo"); e.Score < 90 {
		t.Errorf("the outage moved the score to %.0f", e.Score)
	}
}

// Little evidence is unknown or borrowed, never a number that looks sure.
func TestThin(t *testing.T) {
	m := New(Defaults())
	one := func(yield func(delivery.Evidence, error) bool) {
		yield(delivery.Evidence{Hour: start, IP: "192.0.2.9", Receiver: "gmail", Counts: delivery.Counts{RejectPolicy: 1}}, nil)
	}
	for e, err := range m.Estimate(one) {
		if err != nil || !e.Unknown || !e.Borrowed || e.Needs < 1 || e.Evidence != 1 {
			t.Errorf("one refusal: %+v, %v", e, err)
		}
	}
	for e := range m.Estimate(func(func(delivery.Evidence, error) bool) {}) {
		_ = e
	}
	empty := New(Defaults())
	for range empty.Estimate(func(func(delivery.Evidence, error) bool) {}) {
		t.Error("an estimate without evidence")
	}
}

// The same evidence gives the same bits, and the order within an hour does
// not matter.
func TestDeterministic(t *testing.T) {
	w := usual()
	w.accept = func(i, r, day int) float64 { return 0.5 + 0.4*math.Sin(float64(i+r+day)) }
	shuffled := func(yield func(delivery.Evidence, error) bool) {
		var hour []delivery.Evidence
		r := rand.New(rand.NewPCG(9, 9))
		flush := func() bool {
			r.Shuffle(len(hour), func(i, j int) { hour[i], hour[j] = hour[j], hour[i] })
			for _, e := range hour {
				if !yield(e, nil) {
					return false
				}
			}
			hour = hour[:0]
			return true
		}
		for e := range w.evidence(5) {
			if len(hour) > 0 && hour[0].Hour != e.Hour && !flush() {
				return
			}
			hour = append(hour, e)
		}
		flush()
	}
	key := func(e Estimate) string { return fmt.Sprint(e.Day, e.IP, e.Receiver) }
	want := map[string]Estimate{}
	for e := range New(Defaults()).Estimate(w.evidence(5)) {
		want[key(e)] = e
	}
	n := 0
	for e := range New(Defaults()).Estimate(shuffled) {
		n++
		if e != want[key(e)] {
			t.Fatalf("%+v, want %+v", e, want[key(e)])
		}
	}
	if n != len(want) {
		t.Errorf("%d estimates, want %d", n, len(want))
	}
}

// FuzzEvidence: no evidence, however odd, gives a number outside its range.
func FuzzEvidence(f *testing.F) {
	f.Add(int64(0), uint32(1), uint32(0), uint32(0))
	f.Add(int64(1e6), uint32(1<<31), uint32(1<<31), uint32(7))
	f.Add(int64(-1e6), uint32(0), uint32(4e9), uint32(1))
	f.Fuzz(func(t *testing.T, gap int64, a, d, j uint32) {
		gap %= 40 * 24
		hour := start
		evidence := func(yield func(delivery.Evidence, error) bool) {
			for i := range 12 {
				e := delivery.Evidence{
					Hour: hour, IP: "192.0.2.1", Receiver: []string{"gmail", "yahoo"}[i%2],
					Counts: delivery.Counts{Accepted: a >> (i % 5), DeferPolicy: d >> (i % 7), RejectPolicy: j >> (i % 3), Connection: a % 7, UnknownUser: d % 11},
				}
				if !yield(e, nil) {
					return
				}
				hour += gap * 3600
			}
		}
		for e, err := range New(Defaults()).Estimate(evidence) {
			if err != nil {
				t.Fatal(err)
			}
			if !(0 <= e.Lo && e.Lo <= e.Score && e.Score <= e.Hi && e.Hi <= 100) || math.IsNaN(e.Score) {
				t.Fatalf("%+v", e)
			}
		}
	})
}

func BenchmarkHour(b *testing.B) {
	w := usual()
	w.days = 30
	var cells []delivery.Evidence
	for e := range w.evidence(1) {
		cells = append(cells, e)
	}
	for b.Loop() {
		for range New(Defaults()).Estimate(func(yield func(delivery.Evidence, error) bool) {
			for _, e := range cells {
				if !yield(e, nil) {
					return
				}
			}
		}) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(cells)), "ns/cell")
}
