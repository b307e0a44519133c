package follow

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/internal/rotate"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

// TestTidy has lines come and then none: two minutes later they are in the
// database's file, not in memory and the log of changes.
func TestTidy(t *testing.T) {
	dir := t.TempDir()
	log, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
	var text strings.Builder
	for i := range 500 {
		text.WriteString(rotate.Line(i))
	}
	if err := os.WriteFile(log, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, store.Options{Lasting: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var minutes atomic.Int64
	committed := make(chan int64, 100)
	ctx, cancel := context.WithCancel(t.Context())
	d, err := New(ctx, Options{
		Paths: []string{log}, Store: s, Log: slog.New(slog.DiscardHandler), Meter: NewMeter(),
		Now: func() time.Time { return time.Unix(1e9, 0).Add(time.Duration(minutes.Load()) * time.Minute) },
		Load: func(context.Context) (*Loaded, error) {
			return &Loaded{
				Ingest:   ingest.Options{Formats: all.Formats(), Rules: set, Store: s, Zone: time.UTC, Key: []byte("k")},
				Analysis: func(context.Context) (*analysis.Analysis, error) { return nil, context.Canceled },
			}, nil
		},
		Committed: func(_ context.Context, c *ingest.Committed) { committed <- c.Lines },
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	for lines := int64(0); lines < 500; {
		lines += <-committed
	}
	changes := func() int64 {
		info, err := os.Stat(db + ".wal")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err != nil {
			return 0
		}
		return info.Size()
	}
	if changes() < 1000 {
		t.Fatalf("the log of changes has %d bytes", changes())
	}
	for range 100 { // at most
		minutes.Add(1)
		if changes() == 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if n := changes(); n != 0 {
		t.Errorf("the log of changes has %d bytes still", n)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
