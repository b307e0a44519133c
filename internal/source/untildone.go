package source

import (
	"context"
	"io"
)

// untilDone reads until a context ends: a pipe may be quiet for long, and who
// interrupts us would wait for its next line.
type untilDone struct {
	ctx    context.Context
	from   io.Reader
	buffer []byte
	text   []byte // of the buffer, not yet given out
	err    error  // after the text
	got    chan gotten
}

type gotten struct {
	n   int
	err error
}

// UntilDone returns a reader of what r gives until the context ends. A read
// that waits then is left alone: nothing else may read from r any more.
func UntilDone(ctx context.Context, r io.Reader) io.Reader {
	return &untilDone{ctx: ctx, from: r, buffer: make([]byte, aheadSize), got: make(chan gotten, 1)}
}

func (u *untilDone) Read(p []byte) (int, error) {
	if len(u.text) == 0 && u.err == nil {
		go func() {
			n, err := u.from.Read(u.buffer)
			u.got <- gotten{n, err}
		}()
		select {
		case g := <-u.got:
			u.text, u.err = u.buffer[:g.n], g.err
		case <-u.ctx.Done():
			u.err = u.ctx.Err()
		}
	}
	if len(u.text) == 0 {
		return 0, u.err
	}
	n := copy(p, u.text)
	u.text = u.text[n:]
	return n, nil
}
