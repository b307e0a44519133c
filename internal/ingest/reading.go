package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"

	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
)

// reading is one stream being read.
type reading struct {
	*loop
	stream     *source.Stream
	parser     parser.Parser
	state      store.StreamState
	batch      store.Batch
	allSamples []store.Sample
	kinds      map[string]int // samples kept of each kind
}

// maxSamples is how many lines of a kind are kept that were not understood.
const maxSamples = 5

func (r *reading) run(ctx context.Context) error {
	r.kinds = map[string]int{}
	r.begin()
	for {
		line, err := r.stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			return r.commit(ctx)
		case errors.Is(err, source.ErrTooLong):
			r.state.Oversize++
			r.sample("line too long", line)
		case err != nil: // a damaged file: what was whole is kept
			return errors.Join(err, r.commit(ctx))
		default:
			if err := r.line(line); err != nil {
				return &stopError{err}
			}
		}
		r.state.Lines++
		r.batch.Lines++
		if r.batch.Lines >= int64(r.o.BatchLines) {
			if err := r.commit(ctx); err != nil {
				return err
			}
		}
	}
}

// line parses one line and books its events.
func (r *reading) line(line []byte) error {
	events, err := r.parser.Append(r.events[:0], line)
	r.events = events
	var syntax *parser.SyntaxError
	switch {
	case errors.Is(err, parser.ErrIrrelevant):
		r.state.Irrelevant++
		return nil
	case errors.As(err, &syntax):
		r.state.NotUnderstood++
		r.sample(syntax.Kind, line)
		return nil
	case err != nil:
		return fmt.Errorf("%q, line %d: %w", r.state.Path, r.stream.Line(), err)
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
		for range max(1, min(e.Count, 1000)) {
			if err := r.book.event(r, e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reading) sample(kind string, line []byte) {
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

// commit hands the batch to the store and begins the next.
func (r *reading) commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return &stopError{err}
	}
	if r.o.Progress != nil {
		r.o.Progress(r.taken + r.stream.Taken())
	}
	if r.batch.Lines == 0 {
		return nil
	}
	r.state.Bytes, r.state.TailHash = r.stream.Offset(), r.stream.TailHash()
	if r.o.Store == nil {
		r.book.discard()
		r.begin()
		return nil
	}
	r.batch.Stream = r.state
	if err := r.book.fill(&r.batch); err != nil {
		return &stopError{err}
	}
	if err := r.o.Store.Commit(ctx, &r.batch); err != nil {
		return &stopError{err}
	}
	r.begin()
	return nil
}

// position tells where an event stands.
func (r *reading) position() (stream int32, line int64) { return r.state.ID, r.stream.Line() }
