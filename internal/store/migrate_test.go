package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A database of before the rollups has the same evidence, replies and events
// after it.
func TestMigrate(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "r.duckdb")
	old, err := sql.Open("duckdb", path) // with DuckDB's own blocks, as those were made
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"0001_tables", "0030_signal", "0040_outbox", "0050_alert"} {
		text, err := os.ReadFile("schema/" + name + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := old.ExecContext(ctx, string(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []string{
		"INSERT INTO meta VALUES ('schema', '4')",
		"INSERT INTO origin VALUES (1, 'mx1', 'postfix', '', '', 'example.com')",
		"INSERT INTO receiver VALUES (1, 'gmail')", "INSERT INTO domain VALUES (1, 'gmail.com'), (2, 'googlemail.com')",
		"INSERT INTO template VALUES (1, 1, 421, '4.7.28', '', '', 'slow', 'slow', 'reputation_ip', 'r', 'ip', false, 0.9)",
		"INSERT INTO message VALUES (1, 'ABC', 'mx1', 7200000001, 'example.com', 1099511627776, 0, false)",
		`INSERT INTO event VALUES (7200500000, 1, 1, 1, 1, 1099511627776, 1, 2, 2, 2, true, true, false, 500, -1, 100, 1, 1),
			(7201000000, 1, 1, 1, 1, 1099511627776, 0, 2, 1, 1, true, false, false, 500, 0, 100, 1, 2)`,
		`INSERT INTO evidence VALUES (7200, 1, 1, 1, 0,1,0,0, 0,0,0,0, 0,0,0,0, 0,0,0,2),
			(7200, 1, 1, 2, 3,0,0,0, 0,0,0,0, 0,0,0,0, 0,0,0,3), (7200, 1, 1, 2, -1,0,0,1, 0,0,0,0, 0,0,0,0, 0,0,0,0)`,
	} {
		if _, err := old.ExecContext(ctx, q); err != nil {
			t.Fatal(q, err)
		}
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := blockSize(t, s); got != 262144 {
		t.Errorf("blocks of %d bytes: not those it was made with", got)
	}
	rows := 0
	for _, byDomain := range []bool{false, true} {
		sum := Evidence{}
		for e, err := range s.Evidence(ctx, 0, 1e9, byDomain) {
			if err != nil {
				t.Fatal(err)
			}
			rows++
			sum.Add(&e.Counts)
		}
		if sum.Accepted != 2 || sum.DeferPolicy != 1 || sum.DeferQuick != 1 || sum.Attempts != 5 {
			t.Errorf("by domain %v: %+v", byDomain, sum.Counts)
		}
	}
	if rows != 3 {
		t.Errorf("%d rows, want one hour's and two domains'", rows)
	}
	replies, err := s.Replies(ctx, 0, 1e15)
	if err != nil || len(replies) != 1 || replies[0].First != 1 || replies[0].Attempts != 1 || replies[0].From != 7200e6 {
		t.Errorf("replies %+v, %v", replies, err)
	}
	steps, err := s.Trace(ctx, "ABC", 0)
	if err != nil || len(steps) != 2 || steps[0].At != 7200500000 || steps[0].Host != "mx1" || steps[0].Recipient != 1099511627776>>24 {
		t.Errorf("trace %+v, %v", steps, err)
	}
}

// A new database has blocks of the size that is asked for.
func TestBlockSize(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "r.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := blockSize(t, s); got != 65536 {
		t.Errorf("blocks of %d bytes", got)
	}
}

func blockSize(t *testing.T, s *Store) (n int64) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), "SELECT block_size FROM pragma_database_size()").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestNewer: a database of a newer repute is refused before anything is
// written.
func TestNewer(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.Meta(ctx, "schema")
	if err := errors.Join(err, s.SetMeta(ctx, "schema", list+" 9000_tomorrow"), s.Close()); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, path, Options{}); err == nil || !strings.Contains(err.Error(), "newer repute") {
		t.Errorf("not refused: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was changed, %v", err)
	}
}
