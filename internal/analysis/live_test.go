package analysis

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/bench/year"
	"repute/internal/store"
	"repute/rules"
)

// TestLive lets days go by with lines of now, late lines, corrections, new
// origins and pruning: what Live gives is each time what a run over all
// evidence gives, though it seldom looks at it.
func TestLive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "live.duckdb")
	const ips, weeks = 4, 3
	if _, err := year.Build(path, ips, 6, weeks); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	streams, err := s.Streams(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stream, random := streams[0], rand.New(rand.NewPCG(3, 4))
	add := func(b *store.Batch) {
		t.Helper()
		b.Stream, b.From, b.Lines = stream, stream.Bytes, 1
		b.Stream.Bytes++
		stream.Bytes++
		if err := s.Commit(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	var live Live
	compare := func(what string) {
		t.Helper()
		a, err := New(t.Context(), s, set, nil, inference.Defaults(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		all, err := a.Run(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		got, err := live.Run(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		want := Result{Changes: all.Changes}
		for _, e := range all.Estimates {
			if e.Day.Equal(all.Estimates[len(all.Estimates)-1].Day) {
				want.Estimates = append(want.Estimates, e)
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d estimates and %d changes, not those of all evidence (%d, %d), or others", what, len(got.Estimates), len(got.Changes), len(want.Estimates), len(want.Changes))
		}
	}
	compare("at first")
	if len(live.kept) != midnights {
		t.Fatalf("%d midnights are kept", len(live.kept))
	}
	at := year.Start.AddDate(0, 0, 7*weeks)
	for step := range 60 {
		hour := at.Add(time.Duration(5*step) * time.Hour)
		e := store.Evidence{Hour: hour.Unix(), Origin: int32(random.IntN(ips) + 1), Receiver: int32(random.IntN(6) + 1), Domain: 1, Counts: delivery.Counts{Accepted: uint32(random.IntN(30)), RejectPolicy: uint32(random.IntN(60)), Attempts: 1}}
		b := &store.Batch{}
		what := "a line of now"
		switch step {
		case 11, 31:
			what = "a line of yesterday"
			e.Hour -= 24 * 3600
		case 17:
			what = "a line of last week"
			e.Hour -= 7 * 24 * 3600
		case 23:
			what = "a new origin"
			o := store.Origin{ID: ips + 1}
			o.Host, o.Tag, o.LocalIP, o.Domain = "mx", "postfix", "192.0.2.7", "shop.example.com"
			b.Origins, e.Origin = []store.Origin{o}, o.ID
		}
		b.Counts = store.CountsOf(e)
		add(b)
		compare(what)
		if step == 40 {
			if _, err := s.Prune(t.Context(), time.Time{}, year.Start.AddDate(0, 0, 2)); err != nil {
				t.Fatal(err)
			}
			compare("pruning")
		}
		if what == "a line of now" && len(live.kept) == 0 {
			t.Errorf("step %d: nothing is kept", step)
		}
	}
}

// TestLiveNames has an origin learn its sending IP: what was kept under its
// old name is of no use.
func TestLiveNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "live.duckdb")
	if _, err := year.Build(path, 2, 3, 2); err != nil {
		t.Fatal(err)
	}
	s, a := opened(t, path)
	defer s.Close()
	var live Live
	if _, err := live.Run(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	a.sources[1].Name = "192.0.2.99" // as another configuration would
	got, err := live.Run(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	want, err := a.RunSince(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Estimates, want.Estimates) {
		t.Error("the old name is still told")
	}
}
