package source

import (
	"errors"
	"io"
)

// ahead reads from a decompressor on a goroutine of its own, so that one core
// decompresses while another parses.
type ahead struct {
	full    chan block
	empty   chan []byte
	stopped chan struct{}
	gone    chan struct{} // closed when the goroutine has ended
	now     block
	buffer  []byte // of now, to be given back
}

type block struct {
	text []byte
	err  error // after text
}

// aheadBlocks of aheadSize bytes are read before they are asked for.
const (
	aheadBlocks = 4
	aheadSize   = 128 << 10
)

func readAhead(r io.Reader) *ahead {
	a := &ahead{
		full: make(chan block, aheadBlocks), empty: make(chan []byte, aheadBlocks),
		stopped: make(chan struct{}), gone: make(chan struct{}),
	}
	for range aheadBlocks {
		a.empty <- make([]byte, aheadSize)
	}
	go a.run(r)
	return a
}

func (a *ahead) run(r io.Reader) {
	defer close(a.gone)
	for {
		var buf []byte
		select {
		case buf = <-a.empty:
		case <-a.stopped:
			return
		}
		n, err := 0, error(nil)
		for n < len(buf)/2 && err == nil {
			var k int
			k, err = r.Read(buf[n:])
			n += k
		}
		if err != nil && !errors.Is(err, io.EOF) {
			err = damaged(err)
		}
		select {
		case a.full <- block{buf[:n], err}:
		case <-a.stopped:
			return
		}
		if err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.now.text) == 0 {
		if a.now.err != nil {
			return 0, a.now.err
		}
		if a.buffer != nil {
			a.empty <- a.buffer[:cap(a.buffer)]
		}
		a.now = <-a.full
		a.buffer = a.now.text[:0]
	}
	n := copy(p, a.now.text)
	a.now.text = a.now.text[n:]
	return n, nil
}

// stop ends the goroutine. Where it waits for it, what it reads from may be
// closed then; a pipe may never give it anything more.
func (a *ahead) stop(wait bool) {
	close(a.stopped)
	if wait {
		<-a.gone
	}
}
