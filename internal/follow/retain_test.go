package follow

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

// TestRetain lets weeks go by: what grows too old is deleted once a day while
// the log is followed, and a new daemon does not do it again on the same day.
func TestRetain(t *testing.T) {
	dir := t.TempDir()
	log, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	start := time.Date(2025, 11, 1, 12, 0, 0, 0, time.UTC)
	var clock atomic.Int64 // days since start
	now := func() time.Time { return start.AddDate(0, 0, int(clock.Load())) }
	day := func() {
		clock.Add(1)
		f, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "%s mx1 postfix/smtp[7]: A%05d: to=<u@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n",
			now().Format("2006-01-02T15:04:05.000000Z07:00"), clock.Load())
	}
	run := func() (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		d, err := New(ctx, Options{
			Paths: []string{log}, Store: s, Log: slog.New(slog.DiscardHandler), Meter: NewMeter(), Now: now,
			Load: func(context.Context) (*Loaded, error) {
				return &Loaded{
					Ingest:   ingest.Options{Formats: all.Formats(), Rules: set, Store: s, Zone: time.UTC, Key: []byte("k")},
					Keep:     store.Keep{Events: 10 * 24 * time.Hour, Evidence: 20 * 24 * time.Hour},
					Analysis: func(context.Context) (*analysis.Analysis, error) { return nil, context.Canceled },
				}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		return func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	// await waits for so many lines and events; any number of events if < 0.
	await := func(lines int64, events int) {
		t.Helper()
		var info store.Info
		got := -1
		for range 200 {
			if info, err = s.Info(t.Context()); err != nil {
				t.Fatal(err)
			}
			ids := make([]string, clock.Load()+1)
			for i := range ids {
				ids[i] = fmt.Sprintf("A%05d", i)
			}
			found, err := s.FindMessages(t.Context(), nil, ids)
			if err != nil {
				t.Fatal(err)
			}
			if got = len(found); info.Lines == lines && (got == events || events < 0) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("%d lines and %d events, want %d and %d", info.Lines, got, lines, events)
	}
	stop := run()
	for range 9 {
		day()
	}
	await(9, 9)
	for range 6 {
		day()
	}
	await(15, -1) // a day's turn may have come meanwhile
	clock.Add(1)
	await(15, 11) // of days 5 to 15
	stop()
	day()
	day()
	stop = run()  // two days on
	await(17, 10) // of days 8 to 15, 17 and 18
	want, at := now().Format(time.RFC3339), ""
	for until := time.Now().Add(10 * time.Second); at != want && time.Now().Before(until); time.Sleep(10 * time.Millisecond) {
		if at, err = s.Meta(t.Context(), retainedAt); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if at != want {
		t.Errorf("noted as done at %s, want %s", at, want)
	}
}
