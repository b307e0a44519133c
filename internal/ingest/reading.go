package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"repute/delivery"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
)

// lines is where lines come from: a *source.Stream, or a *source.Live, which
// says io.EOF where there is none yet.
type lines interface {
	Next() ([]byte, error)
	Line() int64
	Offset() int64
	TailHash() [32]byte
}

// reading is one stream being read.
type reading struct {
	*loop
	stream     lines
	taken      func() int64   // bytes taken from disk
	head       func() []byte  // of what still grows; nil: the head is known
	cursor     func() string  // of a journal
	kin        map[int32]bool // streams of the same log, when followed through its rotations
	parser     parser.Parser
	state      store.StreamState
	batch      store.Batch
	allSamples []store.Sample
	kinds      map[string]int // samples kept of each kind
}

// maxSamples is how many lines of a kind are kept that were not understood.
const maxSamples = 5

// run reads to the end. What is read is committed when it returns.
func (r *reading) run(ctx context.Context) error {
	r.begin()
	for {
		full, err := r.advance(r.o.BatchLines)
		err = errors.Join(err, r.commit(ctx)) // of a damaged file what was whole is kept
		if err != nil || !full {
			return errors.Join(err, r.writer.wait())
		}
	}
}

// advance reads on to the end, or until the batch has so many lines.
func (r *reading) advance(lines int) (full bool, err error) {
	for r.batch.Lines < int64(lines) {
		line, err := r.stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case errors.Is(err, source.ErrTooLong):
			r.state.Oversize++
			r.sample("line too long", line)
		case err != nil:
			return false, err
		default:
			if err := r.line(line); err != nil {
				return false, &stopError{err}
			}
		}
		r.state.Lines++
		r.batch.Lines++
	}
	return true, nil
}

// line parses one line and books its events.
func (r *reading) line(line []byte) error {
	events, err := r.parser.Append(r.events[:0], line)
	r.events = events
	if err != nil {
		return r.notAnEvent(line, err)
	}
	for i := range events {
		e := &events[i]
		r.state.Events++
		if e.Attempted {
			r.state.Attempts++
		}
		if e.Truncated {
			r.state.Truncated++
		}
		if e.At > 0 {
			if r.state.FirstAt == 0 || e.At < r.state.FirstAt {
				r.state.FirstAt = e.At
			}
			r.state.LastAt = max(r.state.LastAt, e.At)
		}
		if r.o.Store == nil && r.o.OnEvent == nil {
			continue // nobody asks what it means
		}
		for range max(1, min(e.Count, 1000)) {
			if err := r.book.event(r, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// notAnEvent counts a line that is not ours, or is and is not understood.
func (r *reading) notAnEvent(line []byte, err error) error {
	if errors.Is(err, parser.ErrIrrelevant) {
		r.state.Irrelevant++
		return nil
	}
	var syntax *parser.SyntaxError
	if errors.As(err, &syntax) {
		r.state.NotUnderstood++
		r.sample(syntax.Kind, line)
		return nil
	}
	return fmt.Errorf("%q, line %d: %w", r.state.Path, r.stream.Line(), err)
}

func (r *reading) sample(kind string, line []byte) {
	if r.kinds == nil {
		r.kinds = map[string]int{}
	}
	if r.kinds[kind] >= maxSamples {
		return
	}
	r.kinds[kind]++
	s := store.Sample{Stream: r.state.ID, Kind: kind, Line: r.stream.Line(), Text: valid(line[:min(len(line), 300)])}
	r.allSamples = append(r.allSamples, s)
	r.batch.Samples = append(r.batch.Samples, s)
}

func (r *reading) begin() {
	r.batch = store.Batch{From: r.stream.Offset()}
}

// commit hands the batch to the writer and begins the next.
func (r *reading) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &stopError{err}
	}
	if r.o.Progress != nil {
		r.o.Progress(r.loop.taken + r.taken())
	}
	if r.batch.Lines == 0 {
		return nil
	}
	r.state.Bytes, r.state.TailHash = r.stream.Offset(), r.stream.TailHash()
	if r.head != nil {
		head := r.head()
		r.state.HeadLen = int(min(int64(len(head)), r.state.Bytes))
		r.state.HeadHash = sha256.Sum256(head[:r.state.HeadLen])
	}
	if r.cursor != nil {
		r.state.Cursor = r.cursor()
	}
	if r.o.Store == nil {
		r.book.collected.discard()
		r.begin()
		return nil
	}
	batch := r.batch
	batch.Stream = r.state
	if err := r.writer.wait(); err != nil { // its memory is the next batch's
		return err
	}
	r.book.fill(&batch)
	r.writer.start(ctx, &batch)
	r.begin()
	return nil
}

// repeated takes back the count of an attempt that another stream has told of.
func (r *reading) repeated(e *delivery.Event) {
	r.state.Repeated++
	r.state.Events--
	if e.Attempted {
		r.state.Attempts--
	}
}

// position tells where an event stands.
func (r *reading) position() (stream int32, line int64) { return r.state.ID, r.stream.Line() }
