package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"
)

// Live is a log file that is still being written. Unlike a Stream it ends
// never: Next says io.EOF where there is no whole line yet, and goes on later.
// It holds the file itself, so that a rename takes nothing away from it.
type Live struct {
	Path string

	file   *os.File
	buf    []byte // read from the file, not yet given out
	start  int    // of what is left in buf
	read   int64  // bytes read from the file
	offset int64
	line   int64
	tail   ring
	skip   bool // within a line that is too long
}

// liveBuffer is twice the longest line and more: one read takes many lines.
const liveBuffer = 4 * MaxLine

// OpenLive opens a plain file.
func OpenLive(path string) (*Live, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(err, path)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, plain(err, path)
	}
	return &Live{Path: path, file: f, buf: make([]byte, 0, liveBuffer)}, nil
}

// Next returns the next whole line without its end; valid until the next
// call. io.EOF says that there is none yet, ErrTooLong comes with the start of
// a line that is longer than MaxLine.
func (l *Live) Next() ([]byte, error) {
	for {
		rest := l.buf[l.start:]
		if i := bytes.IndexByte(rest, '\n'); i >= 0 {
			line := rest[:i+1]
			l.start += i + 1
			l.took(line)
			if l.skip {
				l.skip = false
				l.line++
				continue
			}
			l.line++
			line = bytes.TrimSuffix(line[:i], []byte("\r"))
			if len(line) > MaxLine {
				return line[:MaxLine], ErrTooLong
			}
			return line, nil
		}
		if len(rest) > MaxLine {
			cut := rest[:MaxLine]
			l.start += len(rest)
			l.took(rest)
			if l.skip {
				continue
			}
			l.skip = true
			return cut, ErrTooLong
		}
		if err := l.fill(); err != nil {
			return nil, err
		}
	}
}

func (l *Live) took(b []byte) {
	l.offset += int64(len(b))
	l.tail.write(b)
}

// fill reads more of the file.
func (l *Live) fill() error {
	if l.start > 0 {
		l.buf = l.buf[:copy(l.buf, l.buf[l.start:])]
		l.start = 0
	}
	n, err := l.file.Read(l.buf[len(l.buf):cap(l.buf)])
	l.buf = l.buf[:len(l.buf)+n]
	l.read += int64(n)
	if n > 0 {
		return nil
	}
	if err == nil {
		err = io.EOF
	}
	return err
}

// Peek returns the file's first lines; Next is not touched.
func (l *Live) Peek(lines int) [][]byte {
	b := make([]byte, 256<<10)
	n, _ := l.file.ReadAt(b, 0)
	b = b[:n]
	var out [][]byte
	for len(out) < lines {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			break
		}
		out = append(out, bytes.TrimSuffix(b[:i], []byte("\r")))
		b = b[i+1:]
	}
	return out
}

// Head returns the file's first bytes, at most 1 KiB.
func (l *Live) Head() []byte {
	b := make([]byte, headSize)
	n, _ := l.file.ReadAt(b, 0)
	return b[:n]
}

// Skip goes to a stored position and compares the text before it with the hash
// that was stored with it. Call it before Next.
func (l *Live) Skip(offset, line int64, tail [32]byte) (Standing, error) {
	from := max(0, offset-headSize)
	b := make([]byte, offset-from)
	if _, err := l.file.ReadAt(b, from); err != nil {
		if errors.Is(err, io.EOF) {
			return Cut, nil
		}
		return Other, plain(err, l.Path)
	}
	if sha256.Sum256(b) != tail {
		return Other, nil
	}
	if _, err := l.file.Seek(offset, io.SeekStart); err != nil {
		return Other, plain(err, l.Path)
	}
	l.tail.write(b)
	l.offset, l.read, l.line = offset, offset, line
	l.buf, l.start, l.skip = l.buf[:0], 0, false
	return Same, nil
}

// Truncated tells whether the text that was read is no longer there: the file
// is shorter, or has been written anew to beyond that.
func (l *Live) Truncated() (bool, error) {
	info, err := l.file.Stat()
	if err != nil {
		return false, plain(err, l.Path)
	}
	if info.Size() < l.read {
		return true, nil
	}
	b := make([]byte, l.tail.n)
	if _, err := l.file.ReadAt(b, l.offset-int64(len(b))); err != nil {
		return errors.Is(err, io.EOF), nil
	}
	return !bytes.Equal(b, l.tail.buf[:l.tail.n]), nil
}

// Pending tells whether there is more in the file than was read.
func (l *Live) Pending() bool {
	info, err := l.file.Stat()
	return err == nil && info.Size() != l.read
}

// Rotated tells whether the path is no longer this file's: renamed away, or
// another file in its place.
func (l *Live) Rotated() bool {
	now, err := os.Stat(l.Path)
	if err != nil {
		return true
	}
	mine, err := l.file.Stat()
	return err == nil && !os.SameFile(now, mine)
}

// Info describes the open file, whatever its name is now.
func (l *Live) Info() (os.FileInfo, error) { return l.file.Stat() }

// Offset is the number of bytes before the next line.
func (l *Live) Offset() int64 { return l.offset }

// Line is the number of lines before the next one.
func (l *Live) Line() int64 { return l.line }

// TailHash is the hash of the last 1 KiB before Offset.
func (l *Live) TailHash() [32]byte { return l.tail.sum() }

// Half is how many bytes of a line without an end have been read.
func (l *Live) Half() int { return len(l.buf) - l.start }

// Modified is when the file was last written to.
func (l *Live) Modified() time.Time {
	info, err := l.file.Stat()
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// Close closes the file.
func (l *Live) Close() error { return l.file.Close() }
