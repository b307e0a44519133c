package source

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"
)

// Live is a log file that is still being written, see growing.
// It holds the file itself, so that a rename takes nothing away from it.
type Live struct {
	Path string

	growing
	file *os.File
}

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
	return &Live{Path: path, file: f, growing: newGrowing(&bounded{file: f, limit: -1})}, nil
}

// Peek returns the file's first lines; Next is not touched.
func (l *Live) Peek(lines int) [][]byte {
	b := make([]byte, 256<<10)
	n, _ := l.file.ReadAt(b, 0)
	return firstLines(b[:n], lines)
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
	l.from.(*bounded).at = offset
	l.tail.write(b)
	l.offset, l.read, l.line = offset, offset, line
	l.buf, l.start, l.dropped = l.buf[:0], 0, 0
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

// Bound lets Next go no further than the file is long now, until Unbound. What
// is written to another file before what is here is read before it so.
func (l *Live) Bound() {
	if info, err := l.file.Stat(); err == nil {
		l.from.(*bounded).limit = info.Size()
	}
}

// Unbound takes the bound away.
func (l *Live) Unbound() { l.from.(*bounded).limit = -1 }

// bounded reads a file up to a limit; -1: to its end.
type bounded struct {
	file      *os.File
	at, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.limit >= 0 {
		p = p[:min(int64(len(p)), max(0, b.limit-b.at))]
	}
	n, err := b.file.Read(p)
	b.at += int64(n)
	return n, err
}

// Pending tells whether there is more in the file than was read, or a whole
// line that was read and not given out: a batch may end before it.
func (l *Live) Pending() bool {
	info, err := l.file.Stat()
	return err == nil && info.Size() != l.read || l.Ready()
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
