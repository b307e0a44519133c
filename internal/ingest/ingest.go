// Package ingest is the loop from lines to booked events: it reads streams,
// parses their lines, joins queue ids, books first outcomes and hands batches
// to the store.
package ingest

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
	"repute/rules"
)

// Options say how to read. Formats and Rules are needed, the rest may be left
// out.
type Options struct {
	Formats []parser.Format
	Rules   *rules.Set
	Store   *store.Store // nil: nothing is kept
	Zone    *time.Location
	Year    int    // of the oldest line, where stamps name none; 0: from the files
	Key     []byte // for the hashes of addresses
	Stdin   io.Reader
	// BatchLines is how many lines one transaction holds.
	BatchLines int
	// OnEvent is called for each event, in order; Booked is valid during the
	// call. Without it and without a store lines are only parsed and counted.
	OnEvent func(*Booked) error
	// Progress is called now and then with bytes taken from disk.
	Progress func(taken int64)
}

// FileReport tells what became of one file.
type FileReport struct {
	Path    string
	Format  string
	Again   bool // nothing new: it, or all that it tells of, had been read before
	Samples []store.Sample
	Err     error
	store.Coverage
}

// Report tells what became of all files.
type Report struct {
	Files []FileReport
	// Evicted is how many messages were given up that were still open, for there
	// were too many. Crowded is how often a name or a reply was counted among
	// others, for there were too many. All other counts are right.
	Evicted, Crowded int64
}

// Total adds up the files' coverage.
func (r *Report) Total() store.Coverage {
	var t store.Coverage
	for i := range r.Files {
		addCoverage(&t, &r.Files[i].Coverage)
	}
	return t
}

func addCoverage(t, c *store.Coverage) {
	t.Lines += c.Lines
	t.Events += c.Events
	t.Attempts += c.Attempts
	t.Irrelevant += c.Irrelevant
	t.NotUnderstood += c.NotUnderstood
	t.Oversize += c.Oversize
	t.Truncated += c.Truncated
	t.Repeated += c.Repeated
	if c.FirstAt != 0 && (t.FirstAt == 0 || c.FirstAt < t.FirstAt) {
		t.FirstAt = c.FirstAt
	}
	t.LastAt = max(t.LastAt, c.LastAt)
}

// defaultBatch ends a batch where few lines are about mail; else batchRows
// does.
const defaultBatch = 2_000_000

// headLines is how many lines, of those in the first 256 KiB, may tell a
// log's format: a mail server that is scanned has hundreds of lines of
// smtpd's and dovecot's before the first delivery.
const headLines = 2000

// Run reads the files one after the other; a file that fails does not stop
// the others, its report says why. The error is for what stops all: a store
// that can't be written, a cancelled context.
func Run(ctx context.Context, files []string, o Options) (Report, error) {
	if o.BatchLines == 0 {
		o.BatchLines = defaultBatch
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	l, err := newLoop(ctx, &o)
	if err != nil {
		return Report{}, err
	}
	if o.Stdin != nil {
		o.Stdin = source.UntilDone(ctx, o.Stdin)
	}
	l.writer.start(ctx)
	defer l.writer.stop()
	var report Report
	for _, path := range files {
		f, err := l.file(ctx, path)
		report.Files = append(report.Files, f)
		report.Evicted, report.Crowded = l.book.correlator.evicted, l.book.dict.crowded
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

// loop is the state of a run.
type loop struct {
	o       *Options
	book    *book
	writer  *writer
	streams []store.StreamState
	next    int32 // stream id
	// after is the newest line of each rotated set so far: the year of the
	// next file's first line follows from it.
	after map[string]int64
	taken int64
	found map[int32]bool // streams of before that were met again
}

func newLoop(ctx context.Context, o *Options) (*loop, error) {
	l := &loop{o: o, writer: &writer{store: o.Store}, next: 1, after: map[string]int64{}, found: map[int32]bool{}}
	var err error
	if l.book, err = newBook(ctx, o); err != nil {
		return nil, err
	}
	l.book.overlaps.settle = l.writer.wait
	if o.Store == nil {
		return l, nil
	}
	if l.streams, err = o.Store.Streams(ctx); err != nil {
		return nil, err
	}
	ids, err := o.Store.Next(ctx)
	l.next = ids.Stream
	return l, err
}

// file reads one file to its end. The error is only for what stops all.
func (l *loop) file(ctx context.Context, path string) (FileReport, error) {
	f := FileReport{Path: path}
	s, err := source.Open(path, l.o.Stdin)
	if err != nil {
		f.Err = err
		return f, nil
	}
	defer s.Close()
	format, err := parser.Detect(l.o.Formats, s.Peek(headLines))
	if ctx.Err() != nil {
		return f, ctx.Err()
	}
	if err != nil {
		err = cmp.Or(s.Short(), err)
		f.Err = fmt.Errorf("%q: %w", path, err)
		return f, nil
	}
	f.Format = format.Name
	head := bytes.Clone(s.Head())
	state, s, err := l.resume(s)
	if ctx.Err() != nil {
		return f, ctx.Err()
	}
	if err != nil {
		f.Err = fmt.Errorf("%q: %w", path, err)
		return f, nil
	}
	defer s.Close()
	state.Format = format.Name
	before := state
	written := s.Modified
	if written.IsZero() { // standard input: its lines are at least not of the future
		written = time.Now()
	}
	p := format.New(l.parserOptions(s.Path, written, head))
	r := &reading{loop: l, stream: s, taken: s.Taken, block: &block{}, state: state}
	r.begin(s.Offset())
	r.ahead = readAhead(s, p)
	err = r.run(ctx)
	r.ahead.stop(s.Path != source.Stdin)
	f.Samples = r.allSamples
	f.Coverage = difference(&r.state.Coverage, &before.Coverage)
	f.Again = f.Lines == 0 && before.Lines > 0 || f.Attempts == 0 && f.Repeated > 0
	l.after[source.RotationOf(path).Set] = r.state.LastAt
	l.remember(&r.state)
	l.taken += s.Taken()
	var stop *stopError
	if errors.As(err, &stop) {
		return f, stop.err
	}
	if err != nil {
		f.Err = fmt.Errorf("%q, line %d: %w", path, s.Line()+1, err)
	}
	return f, nil
}

// stopError wraps an error that ends the whole run.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

func difference(now, before *store.Coverage) store.Coverage {
	d := *now
	d.Lines -= before.Lines
	d.Events -= before.Events
	d.Attempts -= before.Attempts
	d.Irrelevant -= before.Irrelevant
	d.NotUnderstood -= before.NotUnderstood
	d.Oversize -= before.Oversize
	d.Truncated -= before.Truncated
	d.Repeated -= before.Repeated
	return d
}

// resume finds the stream among those read before and goes to its position.
// A stream is the same if its start is, and the text before the position. One
// that ends before it may be an older copy or another log: it is read, and
// what it repeats is not counted.
func (l *loop) resume(s *source.Stream) (store.StreamState, *source.Stream, error) {
	head := s.Head()
	for i := range l.streams {
		st := l.streams[i]
		if st.HeadLen == 0 || st.HeadLen > len(head) || sha256.Sum256(head[:st.HeadLen]) != st.HeadHash {
			continue
		}
		standing, err := s.Skip(st.Bytes, st.Lines, st.TailHash)
		if err != nil {
			return st, s, err
		}
		if standing == source.Same {
			l.found[st.ID] = true
			st.Path = s.Path
			return st, s, nil
		}
		if s.Path == source.Stdin {
			return st, s, errReadOnce
		}
		s.Close()
		if s, err = source.Open(s.Path, l.o.Stdin); err != nil {
			return st, s, err
		}
		head = s.Head()
	}
	st := store.StreamState{ID: l.next, Path: s.Path, HeadLen: len(head), HeadHash: sha256.Sum256(head)}
	l.next++
	return st, s, nil
}

// errReadOnce tells of a pipe that turned out to be another stream when its
// text was passed over already.
var errReadOnce = errors.New("it begins as a log that was read before, but goes on otherwise or ends earlier; a pipe can't be read twice: write it into a file and read that")

// remember keeps how far a stream was read, now.
func (l *loop) remember(st *store.StreamState) {
	l.found[st.ID] = true
	for i := range l.streams {
		if l.streams[i].ID == st.ID {
			l.streams[i] = *st
			return
		}
	}
	l.streams = append(l.streams, *st)
}

// parserOptions are what the file knows of its stamps: its rotation's date,
// or when it was last written; and the file before it in its set.
func (l *loop) parserOptions(path string, modified time.Time, head []byte) parser.Options {
	rotation := source.RotationOf(path)
	o := parser.Options{Zone: l.o.Zone, Reference: modified, Host: hostFromPath(path), Head: head, Key: l.o.Key}
	if !rotation.Date.IsZero() {
		// The name may be that of the day after the last line, in any zone.
		if end := rotation.Date.Add(48 * time.Hour); o.Reference.IsZero() || end.Before(o.Reference) {
			o.Reference = end
		}
	}
	if at := l.after[rotation.Set]; at != 0 {
		o.After = time.UnixMicro(at)
	} else if l.o.Year != 0 {
		o.Year = l.o.Year
	}
	return o
}

// hostFromPath stands for the host where lines name none: the folder that
// holds the log, so that two Exims' ids are kept apart.
func hostFromPath(path string) string {
	switch {
	case path == source.Stdin:
		return "stdin"
	case source.IsJournal(path):
		return "journald"
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	return filepath.Base(filepath.Dir(abs))
}
