package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"repute/internal/source"
	"repute/internal/store"
)

// FollowOptions say how to follow.
type FollowOptions struct {
	Options
	Log *slog.Logger
	// Every is how long lines may wait for their transaction.
	Every time.Duration
	// Grace is how long a file that was renamed away must be quiet until it is
	// taken to be complete: writers keep their descriptor for a while.
	Grace time.Duration
	// Wake tells that something may have changed; nil leaves it to the clock.
	Wake <-chan struct{}
	// Poll is how often files are looked at without being woken.
	Poll time.Duration
	// OnCommit is called after each transaction that took in lines.
	OnCommit func(Committed)
	// Input is standard input, for the path "-". It outlives the follower: a
	// new one goes on in it.
	Input *source.Pipe
	// Between is called between transactions, on the follower's goroutine; busy
	// tells that there is more to read already, or will be in a moment.
	Between func(ctx context.Context, busy bool) error
}

// Committed is what one transaction took in.
type Committed struct {
	Path string
	store.Coverage
	Took time.Duration
	Lag  time.Duration // how old the newest line was
}

// Follower reads logs while they are written.
type Follower struct {
	*loop
	o     FollowOptions
	sets  []*rotating
	pipes []*piped
}

// NewFollower returns a follower of the logs at the paths. Where it goes on is
// in the store.
func NewFollower(ctx context.Context, paths []string, o FollowOptions) (*Follower, error) {
	if o.BatchLines == 0 {
		o.BatchLines = 20_000
	}
	f := &Follower{o: o}
	var err error
	if f.loop, err = newLoop(ctx, &f.o.Options); err != nil {
		return nil, err
	}
	for _, path := range paths {
		if path == source.Stdin || source.IsJournal(path) {
			f.pipes = append(f.pipes, &piped{path: path, delay: firstDelay})
			continue
		}
		f.sets = append(f.sets, &rotating{path: filepath.Clean(path), done: map[fileState]bool{}, kin: map[int32]bool{}})
	}
	return f, nil
}

// Run follows until the context ends. Whatever was read by then is committed:
// there is never a line read that is not within a transaction. nil tells that
// there was nothing but standard input, and it has ended. Another error is the
// store's; a new follower goes on where the last transaction ended.
func (f *Follower) Run(ctx context.Context) error {
	defer f.close()
	f.writer.start(ctx)
	defer f.writer.stop()
	for {
		busy, err := f.turns(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if f.o.Between != nil {
			if err := f.o.Between(ctx, busy || f.waiting()); err != nil {
				return err
			}
		}
		if busy {
			continue
		}
		if f.ended() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-f.o.Wake:
			// Lines wait for each other: a transaction each would cost more
			// than all else.
		case <-time.After(f.o.Poll):
		}
	}
}

// waiting tells whether a log is not opened yet since a file that it was
// rotated into is still being written.
func (f *Follower) waiting() bool {
	return slices.ContainsFunc(f.sets, func(s *rotating) bool { return s.current == nil && s.copying })
}

// turns takes in what is new, of each in turn. It tells whether there is more.
func (f *Follower) turns(ctx context.Context) (busy bool, err error) {
	for _, s := range f.sets {
		more, err := f.turn(ctx, s)
		if err != nil {
			return false, err
		}
		busy = busy || more
	}
	for _, p := range f.pipes {
		more, err := f.pour(ctx, p)
		if err != nil {
			return false, err
		}
		busy = busy || more
	}
	return busy, nil
}

func (f *Follower) close() {
	for _, s := range f.sets {
		for _, l := range s.files() {
			_ = l.file.Close()
		}
	}
	for _, p := range f.pipes {
		f.shut(p)
	}
}

// turn takes in what is new in one log. It tells whether there is more.
func (f *Follower) turn(ctx context.Context, s *rotating) (more bool, err error) {
	if s.current == nil {
		for _, l := range s.old { // what was rotated since may be rotated again
			if more, err := f.read(ctx, s, l); err != nil || more {
				return more, err
			}
		}
		if err := f.open(ctx, s); err != nil {
			return false, err
		}
	}
	// A writer that went over to a new file wrote its last lines to the old one
	// before: what the new one has now comes after all that the old one has.
	files := s.files()
	for i := len(files) - 1; i > 0; i-- {
		files[i].file.Bound()
		defer files[i].file.Unbound()
	}
	for _, l := range files {
		full, err := f.read(ctx, s, l)
		if err != nil {
			return false, err
		}
		more = more || full
	}
	if more {
		return true, nil
	}
	s.old = slices.DeleteFunc(s.old, func(l *live) bool { return f.finished(s, l) })
	if s.current != nil && s.current.file.Rotated() {
		f.o.Log.Info("rotated", "log", s.path)
		s.old = append(s.old, s.current)
		s.current.quiet, s.current.again = time.Now(), time.Time{}
		s.current = nil
		return true, nil
	}
	every := time.Minute
	if len(s.old) > 0 || time.Since(s.changed) < 2*f.o.Grace { // perhaps still written to
		every = time.Second
	}
	if time.Since(s.scanned) > every {
		return false, f.catchUp(ctx, s)
	}
	return false, nil
}

func (l *loop) newState(path string) store.StreamState {
	st := store.StreamState{ID: l.next, Path: path}
	l.next++
	return st
}

// read takes in what a file has, in one transaction. more tells that there is
// more than one transaction holds.
func (f *Follower) read(ctx context.Context, s *rotating, l *live) (more bool, err error) {
	if time.Now().Before(l.again) || !l.file.Pending() {
		return false, nil
	}
	if truncated, err := l.file.Truncated(); err != nil || truncated {
		return truncated, errors.Join(err, f.truncated(s, l))
	}
	start := time.Now()
	more, err = f.take(ctx, s.path, l.reading, f.o.BatchLines)
	l.quiet = start
	if !more {
		l.again = start.Add(f.o.Every)
	}
	return more, err
}

// take takes in what there is, at most so many lines, in one transaction. more
// tells that there is more than that.
func (f *Follower) take(ctx context.Context, path string, r *reading, lines int) (more bool, err error) {
	start, before := time.Now(), r.state.Coverage
	more, err = r.advance(ctx, lines)
	if err != nil {
		return false, fmt.Errorf("%q, line %d: %w", path, r.stream.Line()+1, err)
	}
	if r.batch.Lines == 0 {
		return false, nil
	}
	if err := errors.Join(r.commit(ctx), f.writer.wait()); err != nil {
		return false, err
	}
	f.remember(&r.state)
	set := source.RotationOf(path).Set
	f.after[set] = max(f.after[set], r.state.LastAt)
	if f.o.OnCommit != nil {
		c := Committed{Path: path, Coverage: difference(&r.state.Coverage, &before), Took: time.Since(start)}
		if r.state.LastAt > 0 {
			c.Lag = time.Since(time.UnixMicro(r.state.LastAt))
		}
		f.o.OnCommit(c)
	}
	return more, nil
}
