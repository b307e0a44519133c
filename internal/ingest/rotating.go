package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
)

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
	opened  bool      // before, in this run
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

func (s *rotating) files() []*live {
	if s.current == nil {
		return s.old
	}
	return append(slices.Clone(s.old), s.current)
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
	f.sayGone(s, l)
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
		loop: f.loop, stream: file, taken: file.Offset, head: file.Head, kin: s.kin, state: state,
		block: &block{}, parser: s.format.New(options),
	}}
	l.begin(file.Offset())
	return l, nil
}

// sayGone tells, once, where a log begins anew and the file that was read last
// is nowhere: it may have had more lines.
func (f *Follower) sayGone(s *rotating, l *live) {
	if s.opened {
		return
	}
	s.opened = true
	var last *store.StreamState
	for i := range f.streams {
		st := &f.streams[i]
		if st.ID != l.state.ID && s.kin[st.ID] && (last == nil || st.LastAt > last.LastAt) {
			last = st
		}
	}
	if l.state.Bytes == 0 && last != nil && !f.found[last.ID] {
		f.o.Log.Warn("the file that was read last is gone; what came after is lost if it is in no other file",
			"log", s.path, "read_to", last.Bytes, "last_line", time.UnixMicro(last.LastAt).UTC())
	}
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
			f.found[st.ID] = true
			return st, standing, err
		}
	}
	return f.newState(file.Path), source.Other, nil
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
