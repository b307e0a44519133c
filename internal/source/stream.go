package source

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// MaxLine is the longest line that is read; what is longer is dropped and
// counted.
const MaxLine = 64 << 10

// headSize is how much of a stream's start tells it from others.
const headSize = 1 << 10

// Stream reads the lines of one file, uncompressed.
type Stream struct {
	Path     string
	Modified time.Time // of the file; the time inside a gzip header is better and is taken where there is one
	Size     int64     // bytes on disk; 0 if unknown

	file   io.ReadCloser
	counts *counter // bytes taken from disk
	text   *bufio.Reader
	done   func()
	offset int64
	line   int64
	tail   ring
	long   []byte
	short  error // why Peek saw no more
}

// Open opens a file and finds out how it is compressed, from its first bytes
// and not from its name.
func Open(path string, stdin io.Reader) (*Stream, error) {
	s := &Stream{Path: path, done: func() {}}
	if path == Stdin {
		s.file = io.NopCloser(stdin)
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, plain(err, path)
		}
		if info, err := f.Stat(); err == nil {
			s.Modified, s.Size = info.ModTime(), info.Size()
		}
		s.file = f
	}
	s.counts = &counter{r: s.file}
	if err := s.uncompress(); err != nil {
		s.Close()
		return nil, fmt.Errorf("%q: %w", path, err)
	}
	return s, nil
}

func (s *Stream) uncompress() error {
	raw := bufio.NewReaderSize(s.counts, 256<<10)
	magic, _ := raw.Peek(6)
	var text io.Reader = raw
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(raw)
		if err != nil {
			return damaged(err)
		}
		if !z.ModTime.IsZero() && z.ModTime.Unix() > 0 {
			s.Modified = z.ModTime
		}
		text = z
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		// The window bounds the memory a hostile file can claim.
		z, err := zstd.NewReader(raw, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		s.done = z.Close
		text = z
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		z, err := xz.NewReader(raw)
		if err != nil {
			return damaged(err)
		}
		text = z
	case bytes.HasPrefix(magic, []byte("BZh")):
		text = bzip2.NewReader(raw)
	}
	if text != raw {
		ahead := readAhead(text)
		stop := s.done
		s.done = func() {
			if pipe := s.Path == Stdin; !pipe {
				ahead.stop(true)
				stop()
			} else {
				ahead.stop(false)
			}
		}
		text = ahead
	}
	s.text = bufio.NewReaderSize(text, 256<<10)
	return nil
}

// damaged says of a decompressor's error what it means for the file.
func damaged(err error) error {
	if errors.As(err, new(*fs.PathError)) { // the disk's
		return err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("its compressed text is cut off or damaged: %w", err)
}

// Next returns the next whole line without its end, valid until the next
// call. ErrTooLong tells that a line was longer than MaxLine and is dropped.
// io.EOF ends the stream; a last line without an end is not returned, since
// its writer may not be done: it will be read when it is whole.
func (s *Stream) Next() ([]byte, error) {
	line, err := s.text.ReadSlice('\n')
	if err == nil {
		if line = s.took(line); len(line) > MaxLine {
			return line[:MaxLine], ErrTooLong
		}
		return line, nil
	}
	if !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	s.long = append(s.long[:0], line[:MaxLine]...)
	total, before := int64(len(line)), s.tail
	s.tail.write(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = s.text.ReadSlice('\n')
		total += int64(len(line))
		s.tail.write(line)
	}
	if err != nil {
		s.tail = before // the line is not taken
		return nil, err
	}
	s.offset += total
	s.line++
	return s.long, ErrTooLong
}

// ErrTooLong is returned for a line longer than MaxLine, with its start.
var ErrTooLong = errors.New("line too long")

func (s *Stream) took(line []byte) []byte {
	s.offset += int64(len(line))
	s.line++
	s.tail.write(line)
	return bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
}

// Head returns the stream's first bytes, at most 1 KiB, without consuming
// them: call it before Next.
func (s *Stream) Head() []byte {
	b, _ := s.text.Peek(headSize)
	return b
}

// Peek returns the first lines without consuming them: call it before Next.
func (s *Stream) Peek(lines int) [][]byte {
	b, err := s.text.Peek(s.text.Size())
	if !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		s.short = err
	}
	return firstLines(b, lines)
}

// Short tells why Peek could not see as far as it looks, where that is not
// the stream's end.
func (s *Stream) Short() error { return s.short }

// firstLines cuts at most n whole lines.
func firstLines(b []byte, n int) (out [][]byte) {
	for len(out) < n {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		out = append(out, bytes.TrimSuffix(b[:i], []byte("\r")))
		b = b[i+1:]
	}
	return out
}

// Offset is the number of bytes of text before the next line.
func (s *Stream) Offset() int64 { return s.offset }

// Line is the number of lines before the next one.
func (s *Stream) Line() int64 { return s.line }

// Taken is the number of bytes taken from disk: of a compressed file, the
// compressed ones.
func (s *Stream) Taken() int64 { return s.counts.n.Load() }

// Tail is the last text before Offset, at least TailSize bytes where there are
// so many. It is valid until the next call.
func (s *Stream) Tail() []byte { return s.tail.last() }

// TailSize is how much text before a position is compared.
const TailSize = headSize

// TailHash is the hash of the last TailSize bytes of the text before a
// position, as a Stream's TailHash is.
func TailHash(text []byte) [32]byte { return sha256.Sum256(text[max(0, len(text)-TailSize):]) }

// TailHash is the hash of the last 1 KiB before Offset: it proves at the next
// start that the text before a stored position is the text that was read.
func (s *Stream) TailHash() [32]byte { return s.tail.sum() }

// Standing is how a stream stands to a stored position.
type Standing int

// The standings.
const (
	Other Standing = iota // another stream: the text before the position differs
	Same                  // the same, and now at the position
	Cut                   // it ends before the position: an older copy of the same start
)

// Skip reads on to a stored position and compares the text before it with the
// hash that was stored with it. The line count goes on from there.
func (s *Stream) Skip(offset, line int64, tail [32]byte) (Standing, error) {
	for s.offset < offset {
		b, err := s.text.Peek(int(min(offset-s.offset, 64<<10)))
		if len(b) == 0 {
			if err == io.EOF {
				return Cut, nil
			}
			return Other, err
		}
		s.tail.write(b)
		s.offset += int64(len(b))
		_, _ = s.text.Discard(len(b))
	}
	s.line = line
	if s.tail.sum() != tail {
		return Other, nil
	}
	return Same, nil
}

// Close closes the file.
func (s *Stream) Close() error {
	s.done()
	s.done = func() {} // it may be closed again
	return s.file.Close()
}

// ring keeps at least the last 1 KiB written. It moves them to its front only
// now and then: most lines are added with one copy.
type ring struct {
	buf [8 * headSize]byte
	n   int // bytes kept
}

func (r *ring) write(b []byte) {
	b = b[max(0, len(b)-headSize):]
	if r.n+len(b) > len(r.buf) {
		r.n = copy(r.buf[:], r.last())
	}
	r.n += copy(r.buf[r.n:], b)
}

func (r *ring) last() []byte { return r.buf[max(0, r.n-headSize):r.n] }

func (r *ring) sum() [32]byte { return TailHash(r.last()) }

type counter struct {
	r io.Reader
	n atomic.Int64 // read while another goroutine decompresses
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
