package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"repute/delivery"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

// writer writes numbered delivery lines and rotates its log in the ways that
// loggers and logrotate do.
type writer struct {
	t    testing.TB
	path string
	file *os.File
	n    int // lines written
}

func newWriter(t testing.TB, path string) *writer {
	w := &writer{t: t, path: path}
	w.open()
	return w
}

func (w *writer) check(err error) {
	if err != nil {
		w.t.Error(err)
		panic(err)
	}
}

func (w *writer) open() {
	f, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	w.check(err)
	w.file = f
}

func line(n int) string {
	return fmt.Sprintf("2025-11-24T10:00:00.000000+00:00 mx1 postfix/smtp[7]: A%09X: to=<u%d@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)\n", n, n)
}

func (w *writer) lines(n int) {
	var b bytes.Buffer
	for range n {
		b.WriteString(line(w.n))
		w.n++
	}
	_, err := w.file.Write(b.Bytes())
	w.check(err)
}

func (w *writer) rename(to string) {
	w.check(os.Rename(w.path, filepath.Join(filepath.Dir(w.path), to)))
}

func (w *writer) shift(last int) {
	for i := last; i >= 1; i-- {
		for _, ext := range []string{"", ".gz"} {
			from := fmt.Sprintf("%s.%d%s", w.path, i, ext)
			if _, err := os.Stat(from); err == nil {
				w.check(os.Rename(from, fmt.Sprintf("%s.%d%s", w.path, i+1, ext)))
			}
		}
	}
}

func (w *writer) compress(name string) {
	path := filepath.Join(filepath.Dir(w.path), name)
	in, err := os.Open(path)
	w.check(err)
	defer in.Close()
	info, err := in.Stat()
	w.check(err)
	out, err := os.Create(path + ".gz")
	w.check(err)
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	w.check(errors.Join(err, z.Close(), out.Close()))
	w.check(os.Chtimes(path+".gz", info.ModTime(), info.ModTime()))
	w.check(os.Remove(path))
}

// followed is a follower running beside a writer.
type followed struct {
	t      testing.TB
	path   string
	db     string
	mu     sync.Mutex
	read   []string       // in the open transaction
	seen   map[string]int // committed
	torn   int64
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
		Every: 20 * time.Millisecond, Grace: 700 * time.Millisecond, Poll: 10 * time.Millisecond,
		OnCommit: func(c Committed) {
			f.mu.Lock()
			for _, id := range f.read {
				f.seen[id]++
			}
			f.read = f.read[:0]
			f.torn += c.NotUnderstood + c.Oversize
			f.mu.Unlock()
		},
	}
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
	last, since := -1, time.Now()
	for time.Since(since) < 20*time.Second {
		f.mu.Lock()
		got := len(f.seen)
		f.mu.Unlock()
		if got >= n {
			return
		}
		if got != last {
			last, since = got, time.Now()
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

// judge compares with what was written.
func (f *followed) judge(w *writer, lost, torn int) {
	f.t.Helper()
	defer f.store.Close()
	missing, doubled := 0, 0
	for i := range w.n {
		switch n := f.seen[fmt.Sprintf("A%09X", i)]; {
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
	if missing > lost || doubled > 0 || int(f.torn) != torn || info.Attempts != int64(w.n-missing) {
		f.t.Errorf("of %d lines: lost %d, doubled %d, torn %d; %d attempts in the store", w.n, missing, doubled, f.torn, info.Attempts)
	}
}

// TestFollow is the stress matrix at its smallest: each way to rotate, while
// lines come, loses nothing, doubles nothing, tears nothing.
func TestFollow(t *testing.T) { stress(t, 300) }

// stress runs the matrix; some is how many lines come at once.
func stress(t *testing.T, some int) {
	for _, c := range []struct {
		name       string
		write      func(*writer)
		lost, torn int
	}{
		{"rename and create", func(w *writer) {
			for range 3 {
				w.lines(some)
				w.shift(5)
				w.rename("mail.log.1")
				w.check(w.file.Close())
				w.open()
				w.lines(some)
				time.Sleep(30 * time.Millisecond)
			}
		}, 0, 0},
		{"old descriptor kept", func(w *writer) {
			for range 3 {
				w.lines(some)
				w.shift(5)
				w.rename("mail.log.1")
				old := w.file
				w.open()
				fresh := w.file
				for range 10 {
					w.file = old
					w.lines(10)
					time.Sleep(20 * time.Millisecond)
				}
				w.check(old.Close())
				w.file = fresh
				w.lines(some)
			}
		}, 0, 0},
		{"path absent meanwhile", func(w *writer) {
			w.lines(some)
			w.rename("mail.log.1")
			w.lines(some)
			time.Sleep(100 * time.Millisecond)
			w.lines(some)
			w.check(w.file.Close())
			time.Sleep(100 * time.Millisecond)
			w.open()
			w.lines(some)
		}, 0, 0},
		{"copy and truncate", func(w *writer) {
			for range 2 {
				w.lines(some)
				text, err := os.ReadFile(w.path)
				w.check(err)
				w.shift(5)
				w.check(os.WriteFile(w.path+".1", text, 0o600))
				w.check(os.Truncate(w.path, 0))
				w.lines(some)
				time.Sleep(50 * time.Millisecond)
			}
		}, 0, 0},
		{"rename and gzip", func(w *writer) {
			for range 2 {
				w.lines(some)
				w.shift(5)
				w.rename("mail.log.1")
				w.check(w.file.Close())
				w.open()
				w.compress("mail.log.1")
				w.lines(some)
				time.Sleep(30 * time.Millisecond)
			}
		}, 0, 0},
		{"twenty fast rotations", func(w *writer) {
			for range 20 {
				w.lines(some)
				w.shift(30)
				w.rename("mail.log.1")
				w.check(w.file.Close())
				w.open()
			}
			w.lines(some)
		}, 0, 0},
		{"half lines", func(w *writer) {
			for range 50 {
				text := line(w.n)
				w.n++
				_, err := w.file.WriteString(text[:len(text)/2])
				w.check(err)
				time.Sleep(5 * time.Millisecond)
				_, err = w.file.WriteString(text[len(text)/2:])
				w.check(err)
			}
		}, 0, 0},
		{"a line of a megabyte", func(w *writer) {
			w.lines(some)
			_, err := w.file.WriteString(strings.Repeat("x", 1<<20) + "\n")
			w.check(err)
			w.lines(some)
		}, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "mail.log")
			f := startFollower(t, path, filepath.Join(dir, "r.duckdb"), map[string]int{}) // absent at the start
			w := newWriter(t, path)
			c.write(w)
			f.await(w.n)
			f.stop()
			f.judge(w, c.lost, c.torn)
		})
	}
}

// TestFollowResumes goes on where it was stopped, over none, one and seven
// rotations, some of them compressed.
func TestFollowResumes(t *testing.T) {
	for _, rotations := range []int{0, 1, 7} {
		t.Run(fmt.Sprint(rotations), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
			w := newWriter(t, path)
			w.lines(500)
			f := startFollower(t, path, db, map[string]int{})
			f.await(w.n)
			f.stop()
			f.store.Close()
			w.lines(100)
			for i := range rotations {
				w.shift(20)
				w.rename("mail.log.1")
				w.check(w.file.Close())
				w.open()
				w.lines(100)
				if i%2 == 1 {
					w.compress("mail.log.2")
				}
			}
			f = startFollower(t, path, db, f.seen)
			f.await(w.n)
			f.stop()
			f.judge(w, 0, 0)
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
	w := &writer{t: t}
	f := startFollower(t, source.Stdin, filepath.Join(dir, "r.duckdb"), map[string]int{}, input, with)
	write := func(n int) {
		for range n {
			_, err := io.WriteString(in, line(w.n))
			w.check(err)
			w.n++
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
	f.judge(w, 0, 0)
}
