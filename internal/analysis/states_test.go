package analysis

import (
	"context"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/bench/year"
	"repute/internal/store"
	"repute/reports"
	"repute/rules"
)

func opened(t *testing.T, path string) (*store.Store, *Analysis) {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), s, set, nil, inference.Defaults(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return s, a
}

func found(t *testing.T, path string, week int) *reports.Findings {
	t.Helper()
	s, a := opened(t, path)
	defer s.Close()
	from := year.Start.AddDate(0, 0, 7*week)
	f, err := a.Findings(t.Context(), from, from.AddDate(0, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func kept(t *testing.T, path string) []store.State {
	t.Helper()
	s, _ := opened(t, path)
	defer s.Close()
	list, err := s.States(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func commit(t *testing.T, path string, e store.Evidence) {
	t.Helper()
	s, _ := opened(t, path)
	defer s.Close()
	streams, err := s.Streams(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b := &store.Batch{Stream: streams[0], From: streams[0].Bytes, Lines: 1, Counts: store.CountsOf(e)}
	b.Stream.Bytes++
	if err := s.Commit(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// A report that begins with a kept state is the same, to the bit, as one that
// begins with the first evidence; and what changes the past is noticed.
func TestStates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "year.duckdb")
	if _, err := year.Build(path, 4, 6, 40); err != nil {
		t.Fatal(err)
	}
	fresh := found(t, path, 39)
	states := kept(t, path)
	if len(states) < 8 || len(states) > 12 {
		t.Fatalf("%d states are kept", len(states))
	}
	if again := found(t, path, 39); !reflect.DeepEqual(again, fresh) {
		t.Error("a report from a kept state differs")
	}
	if same := kept(t, path); !reflect.DeepEqual(same, states) {
		t.Errorf("states were kept twice: %d", len(same))
	}
	if len(fresh.Pairs) < 20 || len(fresh.Changes)+len(fresh.Streams) == 0 {
		t.Fatalf("%d pairs, %d changes: the report says little", len(fresh.Pairs), len(fresh.Changes))
	}
	// A late line of the first week: no state stands on it.
	e := store.Evidence{Hour: year.Start.Unix() + 3600, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{RejectPolicy: 40}}
	commit(t, path, e)
	late := found(t, path, 39)
	if reflect.DeepEqual(late, fresh) {
		t.Error("a late line changes nothing")
	}
	if now := kept(t, path); len(now) != len(states) || now[0].Basis == states[0].Basis {
		t.Errorf("%d states, of the same basis: %v", len(now), now[0].Basis == states[0].Basis)
	}
	// Pruning the oldest days leaves them as they are.
	before := kept(t, path)
	s, _ := opened(t, path)
	if _, err := s.Prune(t.Context(), time.Time{}, year.Start.AddDate(0, 0, 3)); err != nil {
		t.Fatal(err)
	}
	s.Close()
	found(t, path, 39)
	if now := kept(t, path); !reflect.DeepEqual(now, before) {
		t.Error("pruning drops states")
	}
	// A new line of today leaves the states as they are.
	e.Hour = year.Start.AddDate(0, 0, 40*7).Unix() - 3600
	commit(t, path, e)
	found(t, path, 39)
	if now := kept(t, path); !reflect.DeepEqual(now, before) {
		t.Error("a line of today drops states of before")
	}
}

// Scores, plan and explanation are the same from a kept state.
func TestStatesOfOthers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "year.duckdb")
	if _, err := year.Build(path, 3, 5, 24); err != nil {
		t.Fatal(err)
	}
	all := func() (out []any) {
		s, a := opened(t, path)
		defer s.Close()
		r, err := a.RunSince(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		changes := len(r.Changes)
		plan, err := a.Plan(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e, ok, err := a.Explain(t.Context(), "203.0.100.10", "receiver-000.example", time.Time{})
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		return []any{r.Estimates, changes, plan, e}
	}
	s, a := opened(t, path)
	r, err := a.Run(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	fresh := all()
	if len(kept(t, path)) == 0 {
		t.Fatal("no state is kept")
	}
	if again := all(); !reflect.DeepEqual(again, fresh) {
		t.Error("a kept state gives something else")
	}
	last := r.Estimates[len(r.Estimates)-len(fresh[0].([]inference.Estimate)):]
	if !reflect.DeepEqual(fresh[0], last) || fresh[1] != len(r.Changes) {
		t.Error("RunSince differs from Run")
	}
}

// The same states serve whatever week of the last ones is asked for.
func TestStatesOfOtherWeeks(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.duckdb"), filepath.Join(dir, "two.duckdb")
	for _, path := range []string{one, two} {
		if _, err := year.Build(path, 3, 5, 24); err != nil {
			t.Fatal(err)
		}
	}
	found(t, one, 23) // fills it
	for week := 23; week > 19; week-- {
		drop := kept(t, two) // this one always begins with the first evidence
		s, _ := opened(t, two)
		if err := s.PutStates(t.Context(), nil, drop); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if a, b := found(t, one, week), found(t, two, week); !reflect.DeepEqual(a, b) {
			t.Errorf("week %d differs", week)
		}
	}
	if d := time.Unix(kept(t, one)[0].Next, 0).UTC(); d.Weekday() != time.Monday {
		t.Errorf("a state of %v", d)
	}
}
