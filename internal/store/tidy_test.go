package store

import (
	"path/filepath"
	"testing"
)

// TestTidy reads a file into memory and gives it back; the limit is as before,
// and what is asked next is answered.
func TestTidy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := Open(t.Context(), path, Options{Lasting: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.db.ExecContext(t.Context(), "INSERT INTO evidence_hour SELECT hash(i) % 1000000, hash(i + 1) % 1000000, hash(i + 2) % 1000000, i % 16, hash(i) % 100 FROM range(2000000) r(i); CHECKPOINT"); err != nil {
		t.Fatal(err)
	}
	cached := func() (n int64) {
		t.Helper()
		if err := s.db.QueryRowContext(t.Context(), "SELECT memory_usage_bytes FROM duckdb_memory() WHERE tag = 'BASE_TABLE'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	read := func() int64 {
		t.Helper()
		if _, err := s.Past(t.Context(), 1<<40); err != nil {
			t.Fatal(err)
		}
		return cached()
	}
	setting := func(name string) (v string) {
		t.Helper()
		if err := s.db.QueryRowContext(t.Context(), "SELECT value FROM duckdb_settings() WHERE name = ?", name).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	full, limit := read(), setting("memory_limit")
	if full < 4*cacheKept {
		t.Fatalf("only %d bytes are cached", full)
	}
	if err := s.Tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := cached(); n > cacheKept+1<<20 {
		t.Errorf("%d bytes are still cached, of %d", n, full)
	}
	if now := setting("memory_limit"); now != limit {
		t.Errorf("the limit is %s, was %s", now, limit)
	}
	if n := read(); n < full*9/10 {
		t.Errorf("read again %d bytes, at first %d", n, full)
	}
	for _, q := range []string{"SET threads=7", "SET enable_external_access=true", "SET allowed_configs=['threads']"} {
		if _, err := s.db.ExecContext(t.Context(), q); err == nil {
			t.Errorf("%s is possible", q)
		}
	}
}
