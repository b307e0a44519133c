package source

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// Pipe is what comes once and can't be read again: standard input, or what a
// program writes. What was given out since the last Keep is held, so that
// Rewind can give it out again when its transaction failed.
type Pipe struct {
	growing
	in   *blocks
	kept struct {
		line int64
		tail ring
	}
}

// blocks holds what was read ahead. Read never waits.
type blocks struct {
	mu       sync.Mutex
	room     *sync.Cond // ahead became shorter, or nobody wants more
	ahead    []byte     // read ahead, at most pipeAhead and a block
	closed   bool
	ended    bool // nothing comes after ahead
	err      error
	finished chan struct{}

	held []byte // what was handed on since the last Keep
	at   int    // handed on up to here within held; less than its length after Rewind
	head []byte // the first bytes, at most headSize
}

const (
	blockSize = 64 << 10
	pipeAhead = 4 << 20
)

// NewPipe reads from r, ahead of what is asked for. end is called once r has
// ended or failed; its error is Ended's if r had none.
func NewPipe(r io.Reader, end func() error) *Pipe {
	b := &blocks{finished: make(chan struct{})}
	b.room = sync.NewCond(&b.mu)
	go b.run(r, end)
	return &Pipe{growing: newGrowing(b), in: b}
}

func (b *blocks) run(r io.Reader, end func() error) {
	defer close(b.finished)
	err := b.copy(r)
	if end != nil {
		if e := end(); err == nil {
			err = e
		}
	}
	b.mu.Lock()
	b.ended, b.err = true, err
	b.mu.Unlock()
}

func (b *blocks) copy(r io.Reader) error {
	block := make([]byte, blockSize)
	for {
		n, err := r.Read(block)
		b.mu.Lock()
		b.ahead = append(b.ahead, block[:n]...)
		for len(b.ahead) >= pipeAhead && !b.closed {
			b.room.Wait()
		}
		closed := b.closed
		b.mu.Unlock()
		switch {
		case closed || errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

func (b *blocks) Read(p []byte) (int, error) {
	if b.at == len(b.held) {
		b.take(len(p))
	}
	n := copy(p, b.held[b.at:])
	b.at += n
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (b *blocks) take(most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(most, len(b.ahead))
	b.held = append(b.held, b.ahead[:n]...)
	b.head = append(b.head, b.ahead[:min(n, headSize-len(b.head))]...)
	b.ahead = b.ahead[n:]
	b.room.Signal()
}

// Waiting returns the next whole lines without consuming them, as far as they
// are there; full tells that no more fit, or none will come.
func (p *Pipe) Waiting(lines int) (head [][]byte, full bool) {
	for len(p.buf)-p.start < cap(p.buf)/2 {
		if p.fill() != nil {
			break
		}
	}
	rest := p.buf[p.start:]
	all, _ := p.in.exhausted()
	return firstLines(rest, lines), all || len(rest) >= cap(p.buf)/2
}

// Head returns the first bytes, at most 1 KiB.
func (p *Pipe) Head() []byte { return p.in.head }

// Keep tells that all that was given out is safe.
func (p *Pipe) Keep() {
	// What buf still has is read, and not given out.
	given := p.in.at - (len(p.buf) - p.start) - int(p.dropped)
	p.in.held = append(p.in.held[:0], p.in.held[given:]...)
	p.in.at -= given
	p.kept.line, p.kept.tail = p.line, p.tail
}

// Rewind gives out again what was given out since the last Keep.
func (p *Pipe) Rewind() {
	given := p.in.at - (len(p.buf) - p.start) - int(p.dropped)
	p.offset -= int64(given)
	p.read -= int64(p.in.at)
	p.line, p.tail = p.kept.line, p.kept.tail
	p.buf, p.start, p.dropped, p.in.at = p.buf[:0], 0, 0, 0
}

// exhausted tells whether nothing more will come than what was handed on, and
// why.
func (b *blocks) exhausted() (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ended && len(b.ahead) == 0 && b.at == len(b.held), b.err
}

// Ended tells whether all was given out and nothing more will come; then err
// says why, if not by its end.
func (p *Pipe) Ended() (ended bool, err error) {
	ended, err = p.in.exhausted()
	return ended && bytes.IndexByte(p.buf[p.start:], '\n') < 0, err
}

// Close stops reading ahead. A read that is waiting for its other end must be
// ended by whoever owns that.
func (p *Pipe) Close() {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.closed = true
	p.in.room.Signal()
}
