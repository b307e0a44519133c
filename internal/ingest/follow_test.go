package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"repute/delivery"
	"repute/internal/rotate"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

// followed is a follower running beside a writer.
type followed struct {
	t      testing.TB
	path   string
	db     string
	mu     sync.Mutex
	read   []string       // in the open transaction
	seen   map[string]int // committed
	torn   int64
	moved  atomic.Int64
	cancel context.CancelFunc
	done   chan error
	store  *store.Store
}

func startFollower(t testing.TB, path, db string, seen map[string]int, set ...func(*FollowOptions)) *followed {
	t.Helper()
	verdicts, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &followed{t: t, path: path, db: db, seen: seen, store: s, done: make(chan error, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	f.cancel = cancel
	o := FollowOptions{
		Options: Options{Formats: all.Formats(), Rules: verdicts, Store: s, Zone: time.UTC, Key: []byte("k"), OnEvent: func(b *Booked) error {
			if b.Kind == delivery.Attempt {
				f.read = append(f.read, string(b.QueueID))
			}
			return nil
		}},
		Log:   slog.New(slog.DiscardHandler),
		Every: 20 * time.Millisecond, Grace: 7 * time.Second, Poll: 10 * time.Millisecond,
		OnCommit: func(c Committed) {
			f.moved.Add(1)
			f.mu.Lock()
			for _, id := range f.read {
				f.seen[id]++
			}
			f.read = f.read[:0]
			f.torn += c.NotUnderstood + c.Oversize
			f.mu.Unlock()
		},
	}
	o.Progress = func(int64) { f.moved.Add(1) } // catching up commits, too
	for _, f := range set {
		f(&o)
	}
	follower, err := NewFollower(ctx, []string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	go func() { f.done <- follower.Run(ctx) }()
	return f
}

// await waits until n lines have been seen, or nothing comes any more.
func (f *followed) await(n int) {
	f.t.Helper()
	last, since := int64(-1), time.Now()
	for time.Since(since) < 20*time.Second {
		f.mu.Lock()
		got := len(f.seen)
		f.mu.Unlock()
		if got >= n {
			return
		}
		if moved := f.moved.Load(); moved != last {
			last, since = moved, time.Now()
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (f *followed) stop() {
	f.t.Helper()
	f.cancel()
	if err := <-f.done; !errors.Is(err, context.Canceled) {
		f.t.Errorf("the follower ended: %v", err)
	}
}

// judge compares with the lines that were written.
func (f *followed) judge(lines, torn int) {
	f.t.Helper()
	defer f.store.Close()
	missing, doubled := 0, 0
	for i := range lines {
		switch n := f.seen[rotate.ID(i)]; {
		case n == 0:
			missing++
		case n > 1:
			doubled++
		}
	}
	info, err := f.store.Info(context.Background())
	if err != nil {
		f.t.Fatal(err)
	}
	if missing > 0 || doubled > 0 || int(f.torn) != torn || info.Attempts != int64(lines-missing) {
		f.t.Errorf("of %d lines: lost %d, doubled %d, torn %d; %d attempts in the store", lines, missing, doubled, f.torn, info.Attempts)
	}
}

// TestFollow is the stress matrix at its smallest: each way to rotate, while
// lines come, loses nothing, doubles nothing, tears nothing.
func TestFollow(t *testing.T) { stress(t, 0, 300) }

// stress runs the matrix at so many lines a second, or in bursts of some.
func stress(t *testing.T, rate, some int) {
	for _, c := range rotate.Cases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "mail.log")
			f := startFollower(t, path, filepath.Join(dir, "r.duckdb"), map[string]int{})
			w := &rotate.Writer{Path: path, Rate: rate}
			c.Write(w, some)
			f.await(w.N)
			f.stop()
			f.judge(w.N, c.Torn)
		})
	}
	for _, rotations := range []int{0, 1, 7} {
		t.Run(fmt.Sprintf("restart over %d rotations", rotations), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
			w := &rotate.Writer{Path: path, Rate: rate}
			w.Open()
			f := startFollower(t, path, db, map[string]int{})
			w.Lines(some)
			f.await(w.N - w.N/3) // it may be stopped while it reads
			f.stop()
			f.store.Close()
			rotate.Down(w, max(1, some/3), rotations)
			f = startFollower(t, path, db, f.seen)
			f.await(w.N)
			f.stop()
			f.judge(w.N, 0)
			w.Close()
		})
	}
}

// TestFollowInput lets a second follower of the same process go on in standard
// input where the first was stopped; both end with the input.
func TestFollowInput(t *testing.T) {
	dir := t.TempDir()
	r, in := io.Pipe()
	input := func(o *FollowOptions) { o.BatchLines = 700 }
	pipe := source.NewPipe(r, nil)
	with := func(o *FollowOptions) { o.Input = pipe }
	n := 0
	f := startFollower(t, source.Stdin, filepath.Join(dir, "r.duckdb"), map[string]int{}, input, with)
	write := func(some int) {
		for range some {
			if _, err := io.WriteString(in, rotate.Line(n)); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	write(5000) // the pipe holds back
	f.stop()
	f.store.Close()
	f.read = nil
	f = startFollower(t, source.Stdin, f.db, f.seen, input, with)
	write(5000)
	if _, err := io.WriteString(in, "half a li"); err != nil {
		t.Fatal(err)
	}
	in.Close()
	if err := <-f.done; err != nil {
		t.Fatal(err)
	}
	f.judge(n, 0)
}
