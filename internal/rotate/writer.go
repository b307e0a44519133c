// Package rotate writes mail logs and rotates them in the ways that loggers
// and logrotate do, to see what a reader makes of it. It serves tests and
// benchmarks.
package rotate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Writer writes numbered delivery lines. Its methods panic with an Error:
// there is nothing that a test could do about it.
type Writer struct {
	Path string
	// Rate is how many lines a second Lines writes; 0: all at once.
	Rate int
	N    int // lines written
	file *os.File
}

// Error is what a Writer panics with.
type Error struct{ error }

func check(err error) {
	if err != nil {
		panic(Error{err})
	}
}

// ID is the queue id in line n.
func ID(n int) string { return fmt.Sprintf("A%09X", n) }

// Line is line n with its end.
func Line(n int) string {
	return fmt.Sprintf("2025-11-24T10:00:00.000000+00:00 mx1 postfix/smtp[7]: %s: to=<u%d@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)\n", ID(n), n)
}

// tick is how often a paced writer writes.
const tick = 10 * time.Millisecond

// Open opens the log at its path, and makes it if it is not there. The file
// that was written to stays open where a caller kept it.
func (w *Writer) Open() {
	f, err := os.OpenFile(w.Path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(err)
	w.file = f
}

// Reopen closes the log and opens what is now at its path.
func (w *Writer) Reopen() {
	w.Close()
	w.Open()
}

// Close closes the log.
func (w *Writer) Close() { check(w.file.Close()) }

// Lines writes n lines.
func (w *Writer) Lines(n int) {
	if w.Rate == 0 {
		w.burst(n)
		return
	}
	start, written := time.Now(), 0
	for written < n {
		due := min(n, int(int64(w.Rate)*int64(time.Since(start)+tick)/int64(time.Second)))
		w.burst(due - written)
		written = due
		time.Sleep(tick)
	}
}

func (w *Writer) burst(n int) {
	var b bytes.Buffer
	for range n {
		b.WriteString(Line(w.N))
		w.N++
	}
	_, err := w.file.Write(b.Bytes())
	check(err)
}

// For writes lines for so long; a writer without a rate writes some at both
// ends.
func (w *Writer) For(d time.Duration, some int) {
	if w.Rate > 0 {
		w.Lines(int(float64(w.Rate) * d.Seconds()))
		return
	}
	w.burst(some / 2)
	time.Sleep(d)
	w.burst(some - some/2)
}

// Text writes bytes that need not be lines.
func (w *Writer) Text(s string) {
	_, err := w.file.WriteString(s)
	check(err)
}

// Half writes a line in two parts with a pause between.
func (w *Writer) Half(pause time.Duration) {
	text := Line(w.N)
	w.N++
	w.Text(text[:len(text)/2])
	time.Sleep(pause)
	w.Text(text[len(text)/2:])
}

// Rotate renames mail.log to mail.log.1, that to mail.log.2, and so on. The
// writer still writes to the file that it has open.
func (w *Writer) Rotate() {
	w.shift()
	check(os.Rename(w.Path, w.Path+".1"))
}

func (w *Writer) shift() {
	last := 0
	for w.older(last+1) != "" {
		last++
	}
	for i := last; i >= 1; i-- {
		from := w.older(i)
		check(os.Rename(from, fmt.Sprintf("%s.%d%s", w.Path, i+1, from[len(fmt.Sprintf("%s.%d", w.Path, i)):])))
	}
}

// older is the name of the i-th rotated file; empty if there is none.
func (w *Writer) older(i int) string {
	for _, ext := range []string{"", ".gz"} {
		name := fmt.Sprintf("%s.%d%s", w.Path, i, ext)
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return ""
}

// CopyTruncate copies the log to mail.log.1 and truncates it. The writer
// writes nothing meanwhile: what a real one would is in neither file.
func (w *Writer) CopyTruncate() {
	w.shift()
	text, err := os.ReadFile(w.Path)
	check(err)
	check(os.WriteFile(w.Path+".1", text, 0o600))
	check(os.Truncate(w.Path, 0))
}

// Compress compresses the i-th rotated file as gzip does.
func (w *Writer) Compress(i int) {
	path := fmt.Sprintf("%s.%d", w.Path, i)
	in, err := os.Open(filepath.Clean(path))
	check(err)
	defer in.Close()
	info, err := in.Stat()
	check(err)
	out, err := os.Create(path + ".gz")
	check(err)
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, in)
	check(errors.Join(err, z.Close(), out.Close()))
	check(os.Chtimes(path+".gz", info.ModTime(), info.ModTime()))
	check(os.Remove(path))
}
