package ingest

import (
	"context"
	"time"

	"repute/delivery"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
)

// piped is a log that is no file: standard input, or systemd's journal.
type piped struct {
	path     string
	pipe     *source.Pipe
	journal  *source.Journal // nil for standard input
	reading  *reading        // nil until there are lines; its state's format is empty if not known yet
	unknown  bool            // told already
	opened   time.Time
	again    time.Time     // when to read on, or to open anew
	delay    time.Duration // before a journal that failed is opened again
	finished bool
}

// The delays before a journalctl that failed is started again.
const (
	firstDelay = time.Second
	lastDelay  = time.Minute
)

// ended tells whether there was nothing but standard input, to its end.
func (f *Follower) ended() bool {
	for _, p := range f.pipes {
		if !p.finished {
			return false
		}
	}
	return len(f.sets) == 0
}

// shut gives back what was given out and not committed, for another follower.
func (f *Follower) shut(p *piped) {
	switch {
	case p.journal != nil:
		p.journal.Close()
	case p.pipe != nil:
		p.pipe.Rewind()
	}
	p.pipe, p.journal, p.reading = nil, nil, nil
}

// pour takes in what has come through a pipe. It tells whether there is more.
func (f *Follower) pour(ctx context.Context, p *piped) (more bool, err error) {
	if p.finished || time.Now().Before(p.again) {
		return false, nil
	}
	if p.pipe == nil {
		if ok := f.connect(ctx, p); !ok {
			return false, nil
		}
	}
	start := time.Now()
	if n := f.recognisePipe(p); n > 0 {
		more, err = f.take(ctx, p.path, p.reading, n)
		if err != nil {
			return false, err
		}
		p.pipe.Keep()
		if p.journal != nil && p.journal.Gap() {
			f.o.Log.Warn("the journal no longer has the entry that it was read to; what it dropped after that is lost", "log", p.path)
		}
	}
	if more {
		return true, nil
	}
	if ended, why := p.pipe.Ended(); ended {
		f.end(p, why)
		return false, nil
	}
	p.again = start.Add(f.o.Every)
	return false, nil
}

// connect begins to read, where the last transaction ended.
func (f *Follower) connect(ctx context.Context, p *piped) (ok bool) {
	if p.path == source.Stdin {
		p.pipe = f.o.Input
		return p.pipe != nil
	}
	state := f.journalState(p.path)
	journal, err := source.OpenJournal(ctx, p.path, state.Cursor, state.Bytes, state.Lines)
	if err != nil {
		f.retry(p, err)
		return false
	}
	p.journal, p.pipe, p.opened = journal, journal.Pipe, time.Now()
	f.o.Log.Info("opened", "log", p.path, "resumed_at", state.Lines)
	return true
}

func (f *Follower) journalState(path string) store.StreamState {
	for i := range f.streams {
		if f.streams[i].Path == path && f.streams[i].Cursor != "" {
			return f.streams[i]
		}
	}
	return store.StreamState{Path: path}
}

// end sees to a pipe that ended: a journal is opened again, standard input is
// not.
func (f *Follower) end(p *piped, why error) {
	if n := p.pipe.Half(); n > 0 {
		f.o.Log.Warn("it ends within a line", "log", p.path, "bytes", n)
	}
	if p.journal == nil {
		p.finished = true
		f.o.Log.Info("ended", "log", p.path, "lines", p.pipe.Line())
		if why != nil {
			f.o.Log.Error("it could not be read on", "log", p.path, "why", why)
		}
		return
	}
	if time.Since(p.opened) > lastDelay {
		p.delay = firstDelay
	}
	f.shut(p)
	f.retry(p, why)
}

func (f *Follower) retry(p *piped, why error) {
	f.o.Log.Error("not followed; tried again", "log", p.path, "why", why, "in", p.delay)
	p.again = time.Now().Add(p.delay)
	p.delay = min(2*p.delay, lastDelay)
}

// recognisePipe finds out the format, from the lines that wait. It returns how
// many lines may be read now. A pipe that is full of others' lines must be
// read all the same: they are passed over.
func (f *Follower) recognisePipe(p *piped) (lines int) {
	if p.reading == nil {
		p.reading = f.pipeReading(p)
		if format := f.formatNamed(p.reading.state.Format); format.Name != "" {
			f.recognised(p, format)
		}
	}
	if p.reading.state.Format != "" {
		return f.o.BatchLines
	}
	head, full := p.pipe.Waiting(headLines)
	format, err := parser.Detect(f.o.Formats, head)
	if err == nil {
		f.recognised(p, format)
		f.o.Log.Info("recognised", "log", p.path, "format", format.Name)
		return f.o.BatchLines
	}
	if !p.unknown && len(head) > 0 {
		p.unknown = true
		f.o.Log.Warn("waiting for lines that are recognised", "log", p.path, "why", err)
	}
	if !full {
		return 0
	}
	return max(1, len(head))
}

func (f *Follower) recognised(p *piped, format parser.Format) {
	r := p.reading
	options := f.parserOptions(p.path, time.Now(), p.pipe.Head())
	if r.state.LastAt != 0 {
		options.After = time.UnixMicro(r.state.LastAt)
	}
	r.parser, r.state.Format = format.New(options), format.Name
}

func (f *Follower) pipeReading(p *piped) *reading {
	r := &reading{loop: f.loop, stream: p.pipe, taken: p.pipe.Offset, block: &block{}, parser: strangers{}}
	if p.journal != nil {
		r.stream, r.cursor = p.journal, p.journal.Cursor
		r.state = f.journalState(p.path)
	} else {
		r.head = p.pipe.Head
		r.state = f.inputState(p.pipe)
	}
	if r.state.ID == 0 {
		r.state = f.newState(p.path)
	}
	r.begin(p.pipe.Offset())
	return r
}

// inputState finds standard input as an earlier follower of this process left
// it; zero if there was none.
func (f *Follower) inputState(pipe *source.Pipe) store.StreamState {
	for i := range f.streams {
		st := &f.streams[i]
		if pipe.Offset() > 0 && st.Path == source.Stdin && st.Bytes == pipe.Offset() && st.TailHash == pipe.TailHash() {
			return *st
		}
	}
	return store.StreamState{}
}

// strangers passes over lines from before the first that is recognised.
type strangers struct{}

func (strangers) Append(events []delivery.Event, _ []byte) ([]delivery.Event, error) {
	return events, parser.ErrIrrelevant
}
