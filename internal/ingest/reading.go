package ingest

import (
	"context"
	"crypto/sha256"
	"errors"
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
	ahead      *ahead // what reads the stream; nil: we do, when we are asked to
	block      *block
	at         int // lines of the block that were booked
	state      store.StreamState
	batch      store.Batch
	allSamples []store.Sample
	kinds      map[string]int // samples kept of each kind
}

// maxSamples is how many lines of a kind are kept that were not understood.
const maxSamples = 5

// run reads to the end. What is read is committed when it returns.
func (r *reading) run(ctx context.Context) error {
	for {
		full, err := r.advance(ctx, r.o.BatchLines)
		if stop := (*stopError)(nil); errors.As(err, &stop) {
			return err
		}
		err = errors.Join(err, r.commit(ctx)) // of a damaged file what was whole is kept
		if err != nil || !full {
			return errors.Join(err, r.writer.wait())
		}
	}
}

// advance reads on to the end, or until the batch has so many lines.
func (r *reading) advance(ctx context.Context, lines int) (full bool, err error) {
	for r.batch.Lines < int64(lines) && !r.crammed() {
		if r.at < len(r.block.lines) {
			if err := r.line(r.at); err != nil {
				return false, &stopError{err}
			}
			r.at++
			r.state.Lines++
			r.batch.Lines++
			r.book.handOver(r.writer)
			continue
		}
		if err := r.block.err; err != nil {
			r.block.err = nil
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return false, err
		}
		if err := r.next(ctx, lines-int(r.batch.Lines)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// crammed tells that the batch has all the rows that it should. What is read
// when asked for is given by lines.
func (r *reading) crammed() bool {
	return r.ahead != nil && r.book.inBatch+len(r.book.events) >= batchRows
}

// next goes on to the next block, of at most so many lines if it has yet to be
// read.
func (r *reading) next(ctx context.Context, most int) error {
	r.at = 0
	if r.ahead == nil {
		r.block.fill(r.stream, r.parser, most)
		return nil
	}
	r.ahead.empty <- r.block
	select {
	case r.block = <-r.ahead.full:
		return nil
	case <-ctx.Done():
		r.block = &block{}
		return &stopError{ctx.Err()}
	}
}

// line books the events of a line.
func (r *reading) line(i int) error {
	switch l := &r.block.lines[i]; l.what {
	case irrelevant:
		r.state.Irrelevant++
	case notUnderstood:
		r.state.NotUnderstood++
		r.sample(l.kind, r.block.line(i))
	case tooLong:
		r.state.Oversize++
		r.sample("line too long", r.block.line(i))
	}
	events := r.block.lineEvents(i)
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

func (r *reading) sample(kind string, line []byte) {
	if r.kinds == nil {
		r.kinds = map[string]int{}
	}
	if r.kinds[kind] >= maxSamples {
		return
	}
	r.kinds[kind]++
	s := store.Sample{Stream: r.state.ID, Kind: kind, Line: r.number(), Text: valid(line[:min(len(line), 300)])}
	r.allSamples = append(r.allSamples, s)
	r.batch.Samples = append(r.batch.Samples, s)
}

func (r *reading) begin(offset int64) {
	r.batch = store.Batch{From: offset}
}

// commit hands the rest of the batch to the writer and begins the next.
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
	r.state.Bytes, r.state.TailHash = r.position()
	if r.head != nil {
		head := r.head()
		r.state.HeadLen = int(min(int64(len(head)), r.state.Bytes))
		r.state.HeadHash = sha256.Sum256(head[:r.state.HeadLen])
	}
	if r.cursor != nil {
		r.state.Cursor = r.cursor()
	}
	if r.o.Store == nil { // then there are no events
		r.book.collected.discard()
		r.begin(r.state.Bytes)
		return nil
	}
	batch := r.batch
	batch.Stream = r.state
	if err := r.writer.wait(); err != nil { // its memory is the next batch's
		return err
	}
	r.book.fill(&batch)
	r.book.events = r.writer.commit(r.book.events, &batch)
	r.begin(r.state.Bytes)
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

// number is the number of the line that is booked.
func (r *reading) number() int64 { return r.block.first + int64(r.at) + 1 }

// position is where the next line begins that is not booked, and the hash of
// the text before it.
func (r *reading) position() (offset int64, tail [32]byte) {
	if r.ahead == nil {
		return r.stream.Offset(), r.stream.TailHash()
	}
	return r.block.offset(r.at), source.TailHash(r.block.tail(r.at))
}
