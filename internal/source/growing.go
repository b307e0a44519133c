package source

import (
	"bytes"
	"io"
)

// growing cuts lines from what is still being written. Unlike a Stream it
// never ends: Next says io.EOF where there is no whole line yet, and goes on
// later.
type growing struct {
	from   io.Reader // io.EOF: nothing now
	buf    []byte    // read, not yet given out
	start  int       // of what is left in buf
	read   int64     // bytes read
	offset int64
	line   int64
	tail   ring
	// Of a line that is too long and has not ended: its start, and how much
	// of it is no longer in buf.
	long    []byte
	dropped int64
}

// growingBuffer is twice the longest line and more: one read takes many lines.
const growingBuffer = 4 * MaxLine

func newGrowing(from io.Reader) growing {
	return growing{from: from, buf: make([]byte, 0, growingBuffer)}
}

// Next returns the next whole line without its end; valid until the next
// call. io.EOF says that there is none yet, ErrTooLong comes with the start of
// a line that is longer than MaxLine, once it has ended.
func (g *growing) Next() ([]byte, error) {
	for {
		rest := g.buf[g.start:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			return g.cut(rest[:i+1])
		}
		if len(rest) > MaxLine {
			g.drop(rest)
		}
		if err := g.fill(); err != nil {
			return nil, err
		}
	}
}

// cut takes a line, or the end of one that is too long.
func (g *growing) cut(line []byte) ([]byte, error) {
	g.start += len(line)
	g.offset += g.dropped + int64(len(line))
	g.tail.write(line)
	g.line++
	if g.dropped > 0 {
		g.dropped = 0
		return g.long, ErrTooLong
	}
	line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
	if len(line) > MaxLine {
		return line[:MaxLine], ErrTooLong
	}
	return line, nil
}

// drop makes room within a line that is too long. What tail must know stays.
func (g *growing) drop(rest []byte) {
	if g.dropped == 0 {
		g.long = append(g.long[:0], rest[:MaxLine]...)
	}
	n := len(rest) - headSize
	g.start += n
	g.dropped += int64(n)
}

// Ready tells whether Next has a line without reading.
func (g *growing) Ready() bool { return bytes.IndexByte(g.buf[g.start:], '\n') >= 0 }

// fill reads more.
func (g *growing) fill() error {
	if g.start > 0 {
		g.buf = g.buf[:copy(g.buf, g.buf[g.start:])]
		g.start = 0
	}
	n, err := g.from.Read(g.buf[len(g.buf):cap(g.buf)])
	g.buf = g.buf[:len(g.buf)+n]
	g.read += int64(n)
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

// Offset is the number of bytes before the next line.
func (g *growing) Offset() int64 { return g.offset }

// Line is the number of lines before the next one.
func (g *growing) Line() int64 { return g.line }

// TailHash is the hash of the last 1 KiB before Offset.
func (g *growing) TailHash() [32]byte { return g.tail.sum() }

// Half is how many bytes of a line without an end have been read.
func (g *growing) Half() int { return int(g.dropped) + len(g.buf) - g.start }
