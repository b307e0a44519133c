package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
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
	// Between is called between transactions, on the follower's goroutine.
	Between func(context.Context) error
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

// rotating is a log with the files that it was rotated into.
type rotating struct {
	path    string
	format  parser.Format // as the file before was; zero if not known yet
	current *live         // nil while the path is absent
	old     []*live       // renamed away, perhaps still written to
	done    map[fileState]bool
	kin     map[int32]bool // streams of this log
	scanned time.Time
	changed time.Time // newest of the rotated files, when last scanned
	copying bool      // a rotated file is perhaps being compressed; what is newer waits
	absent  bool      // told already
	unknown bool      // told already
}

// live is one file being followed.
type live struct {
	*reading
	file  *source.Live
	again time.Time // when to read on
	quiet time.Time // since when nothing came
}

// fileState tells a file that was read from one that has grown or changed.
type fileState struct {
	name  string
	size  int64
	mtime int64
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
	for {
		busy, err := f.turns(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if f.o.Between != nil {
			if err := f.o.Between(ctx); err != nil {
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

func (s *rotating) files() []*live {
	if s.current == nil {
		return s.old
	}
	return append(slices.Clone(s.old), s.current)
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

// finished closes a file that was renamed away and is quiet.
func (f *Follower) finished(s *rotating, l *live) bool {
	if time.Since(l.quiet) < f.o.Grace {
		return false
	}
	if n := l.file.Half(); n > 0 {
		f.o.Log.Warn("the file that was rotated away ends within a line", "log", s.path, "bytes", n)
	}
	_ = l.file.Close()
	return true
}

// open opens the log at its path. Before, everything that it was rotated into
// meanwhile is read, oldest first; and again after, for a rotation in between.
func (f *Follower) open(ctx context.Context, s *rotating) error {
	if err := f.catchUp(ctx, s); err != nil || s.copying {
		return err
	}
	file, err := source.OpenLive(s.path)
	if err != nil {
		if !s.absent {
			s.absent = true
			level := slog.LevelWarn
			if errors.Is(err, fs.ErrNotExist) {
				level = slog.LevelInfo
			}
			f.o.Log.Log(ctx, level, "waiting for the log", "log", s.path, "why", err)
		}
		return nil
	}
	if !f.recognise(s, file) {
		return file.Close()
	}
	l, err := f.goOn(s, file)
	if err != nil {
		return err
	}
	s.current = l
	s.absent, s.unknown = false, false
	f.o.Log.Info("opened", "log", s.path, "format", s.format.Name, "resumed_at", l.state.Bytes)
	f.adopt(s)
	return f.catchUp(ctx, s)
}

// goOn follows a file from where it was read to.
func (f *Follower) goOn(s *rotating, file *source.Live) (*live, error) {
	state, standing, err := f.standing(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if standing == source.Cut { // it can't be the file it looks like: that one was longer
		state = f.newState(s.path)
	}
	state.Path, state.Format = s.path, s.format.Name
	options := f.parserOptions(s.path, file.Modified(), file.Head())
	if state.LastAt != 0 {
		options.After = time.UnixMicro(state.LastAt)
	}
	set := source.RotationOf(s.path).Set
	s.kin[state.ID] = true
	for i := range f.streams {
		if source.RotationOf(f.streams[i].Path).Set == set {
			s.kin[f.streams[i].ID] = true
		}
	}
	l := &live{file: file, quiet: time.Now(), reading: &reading{
		loop: f.loop, stream: file, taken: file.Offset, head: file.Head, kin: s.kin, state: state, parser: s.format.New(options),
	}}
	l.begin()
	return l, nil
}

// adopt follows files that were renamed away a moment before the log was
// opened: their writer may not be done with them.
func (f *Follower) adopt(s *rotating) {
	for _, path := range source.Rotated(s.path) {
		info, err := os.Stat(path)
		if err != nil || source.Compressed(path) || time.Since(info.ModTime()).Abs() > f.o.Grace || f.isOpen(s, info) {
			continue
		}
		file, err := source.OpenLive(path)
		if err != nil {
			continue // the next look at the rotated files tells why
		}
		l, err := f.goOn(s, file)
		if err != nil || l.state.Bytes == 0 {
			_ = file.Close()
			continue
		}
		s.old = append(s.old, l)
	}
}

// recognise finds out the log's format, as soon as it has lines.
func (f *Follower) recognise(s *rotating, file *source.Live) bool {
	if s.format.Name != "" {
		return true
	}
	head := file.Peek(headLines)
	format, err := parser.Detect(f.o.Formats, head)
	if err == nil {
		s.format = format
		return true
	}
	if !s.unknown && len(head) > 0 {
		s.unknown = true
		f.o.Log.Warn("waiting for lines that are recognised", "log", s.path, "why", err)
	}
	return false
}

// standing finds the stream among those read before, and goes to its position.
func (f *Follower) standing(file *source.Live) (store.StreamState, source.Standing, error) {
	head := file.Head()
	for i := range f.streams {
		st := f.streams[i]
		if st.HeadLen == 0 || st.HeadLen > len(head) || sha256.Sum256(head[:st.HeadLen]) != st.HeadHash {
			continue
		}
		standing, err := file.Skip(st.Bytes, st.Lines, st.TailHash)
		if err != nil || standing == source.Same {
			return st, standing, err
		}
	}
	return f.newState(file.Path), source.Other, nil
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
	more, err = r.advance(lines)
	if err != nil {
		return false, fmt.Errorf("%q, line %d: %w", path, r.stream.Line()+1, err)
	}
	if r.batch.Lines == 0 {
		return false, nil
	}
	if err := r.commit(ctx); err != nil {
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

// truncated begins a file anew whose text was taken away. Where it was copied
// before (logrotate's copytruncate), the copy has the lines that were not read
// yet; what was written between copy and truncation the writer's own tool has
// lost.
func (f *Follower) truncated(s *rotating, l *live) error {
	f.o.Log.Warn("truncated: begun anew; lines written between a copy and the truncation are in neither file", "log", s.path, "read_to", l.file.Offset())
	_ = l.file.Close()
	if s.current == l {
		s.current = nil
	}
	s.old = slices.DeleteFunc(s.old, func(o *live) bool { return o == l })
	return nil
}

// catchUp reads the files that a log was rotated into, oldest first, as far as
// they were not read.
func (f *Follower) catchUp(ctx context.Context, s *rotating) error {
	s.scanned, s.copying = time.Now(), false
	before := s.done
	s.done = map[fileState]bool{} // of the files that are there now: it lasts for years
	for _, path := range source.Rotated(s.path) {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() || f.isOpen(s, info) {
			continue
		}
		if info.ModTime().After(s.changed) {
			s.changed = info.ModTime()
		}
		state := fileState{path, info.Size(), info.ModTime().UnixNano()}
		if before[state] {
			s.done[state] = true
			continue
		}
		if beingWritten(path, info) {
			s.scanned = time.Now().Add(-time.Minute + settle/2) // look again soon
			s.copying = true
			maps.Copy(s.done, before)
			break
		}
		start := time.Now()
		report, err := f.file(ctx, path)
		if err != nil {
			return err
		}
		s.done[state] = true
		if report.Err != nil {
			f.o.Log.Warn("not read", "file", path, "why", report.Err)
			continue
		}
		if report.Lines == 0 {
			continue
		}
		f.o.Log.Info("caught up", "file", path, "lines", report.Lines, "took", time.Since(start).Round(time.Millisecond))
		if s.format.Name == "" {
			s.format = f.formatNamed(report.Format)
		}
		if f.o.OnCommit != nil {
			f.o.OnCommit(Committed{Path: s.path, Coverage: report.Coverage, Took: time.Since(start)})
		}
	}
	return nil
}

// settle is how long a copy must be untouched until it is read.
const settle = 2 * time.Second

// beingWritten tells whether a copy may be half of what it will be: too little
// to tell which stream's copy it is. gzip gives its file the time of the
// original when it is complete.
func beingWritten(path string, info os.FileInfo) bool {
	return (source.Compressed(path) || info.Size() < 1<<10) && time.Since(info.ModTime()).Abs() < settle
}

func (f *Follower) formatNamed(name string) parser.Format {
	for _, format := range f.o.Formats {
		if format.Name == name {
			return format
		}
	}
	return parser.Format{}
}

// isOpen tells whether a file is one of those being followed, under whatever
// name.
func (f *Follower) isOpen(s *rotating, info os.FileInfo) bool {
	return slices.ContainsFunc(s.files(), func(l *live) bool {
		mine, err := l.file.Info()
		return err == nil && os.SameFile(mine, info)
	})
}
