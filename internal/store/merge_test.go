package store

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"repute/delivery"
)

// TestMergeEvidence: many small batches leave many rows, which retention adds
// up; what is read stays the same, corrections too.
func TestMergeEvidence(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "r.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const newest = 30 * 86400
	for i := range int64(100) {
		b := batch(1, i, i+1)
		if i > 0 {
			b = &Batch{From: i, Stream: b.Stream}
		}
		b.Stream.LastAt = newest * 1e6
		for hour := int64(0); hour < newest; hour += 7 * 3600 {
			e := Evidence{Hour: hour, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{Accepted: 2, Attempts: 2}}
			if minus := uint32(1); i == 99 { // corrections, one of which leaves nothing
				e.Counts = delivery.Counts{DeferSlow: -minus, DeferQuick: 1}
			} else if i == 98 {
				e.Counts = delivery.Counts{DeferSlow: 1, Attempts: 1}
			}
			b.Counts = append(b.Counts, CountsOf(e)...)
		}
		if err := s.Commit(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	type state struct {
		rows []Evidence
		past Past
		n    int64
	}
	look := func(byDomain bool, table string) (v state) {
		t.Helper()
		for e, err := range s.Evidence(ctx, 0, 1<<40, byDomain) {
			if err != nil {
				t.Fatal(err)
			}
			v.rows = append(v.rows, e)
		}
		if v.past, err = s.Past(ctx, newest); err != nil {
			t.Fatal(err)
		}
		if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&v.n); err != nil {
			t.Fatal(err)
		}
		return v
	}
	hours, days := look(false, "evidence_hour"), look(true, "evidence_day")
	if _, err := s.Retain(ctx, Keep{}); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ was, is state }{{hours, look(false, "evidence_hour")}, {days, look(true, "evidence_day")}} {
		if !slices.Equal(c.was.rows, c.is.rows) || c.was.past != c.is.past || len(c.is.rows) == 0 {
			t.Errorf("table %d: other evidence than before, or another past", i)
		}
		if c.is.n*10 > c.was.n {
			t.Errorf("table %d: %d rows, %d before", i, c.is.n, c.was.n)
		}
	}
}
