package source

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

func TestRotationOrder(t *testing.T) {
	dir := t.TempDir()
	want := []string{
		"mail.log.12.gz", "mail.log.2.gz", "mail.log.1", "mail.log",
		"maillog-20251231.gz", "maillog-20260105", "maillog.20260111-235959.gz", "maillog",
	}
	for _, name := range want {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, errs := Expand([]string{dir})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	if !slices.Equal(files, want) {
		t.Errorf("order\n%v, want\n%v", files, want)
	}
}

func TestExpandSays(t *testing.T) {
	dir := t.TempDir()
	_, errs := Expand([]string{dir, filepath.Join(dir, "none"), filepath.Join(dir, "*.log"), "/dev/null"})
	if len(errs) != 4 {
		t.Fatalf("%d errors, want one for each of 4: %v", len(errs), errs)
	}
	for i, want := range []string{"holds no file", "no such file", "matches no file", "not a regular file"} {
		if !strings.Contains(errs[i].Error(), want) {
			t.Errorf("%v does not say %q", errs[i], want)
		}
	}
}

// TestNoFiles: what is no regular file is passed over at once, and said where
// it was named.
func TestNoFiles(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	socket, err := net.Listen("unix", at("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := errors.Join(
		syscall.Mkfifo(at("pipe"), 0o600), os.Symlink(at("nowhere"), at("dangling")), os.Symlink(at("loop"), at("loop")), os.Symlink(dir, at("up")),
		os.Symlink("/dev/zero", at("zero")), os.WriteFile(at("mail.log"), []byte("x\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	args := []string{"/dev/zero", "/dev/full", at("pipe"), at("socket"), at("dangling"), at("loop")}
	files, errs := Expand(append(args, dir))
	if !slices.Equal(files, []string{at("mail.log")}) || len(errs) != len(args) {
		t.Errorf("%v, %d errors for %d: %v", files, len(errs), len(args), errs)
	}
}

const text = "first\nsecond\r\n\nthird\nhalf"

func compressors(t *testing.T) map[string]func([]byte) []byte {
	write := func(open func(io.Writer) io.WriteCloser) func([]byte) []byte {
		return func(b []byte) []byte {
			var out bytes.Buffer
			w := open(&out)
			if _, err := w.Write(b); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return out.Bytes()
		}
	}
	gz := write(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	m := map[string]func([]byte) []byte{
		"plain": func(b []byte) []byte { return b },
		"gzip":  gz,
		"gzip of two members": func(b []byte) []byte {
			return append(gz(b[:7]), gz(b[7:])...)
		},
		"zstd": write(func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z }),
		"xz":   write(func(w io.Writer) io.WriteCloser { z, _ := xz.NewWriter(w); return z }),
	}
	if _, err := exec.LookPath("bzip2"); err == nil {
		m["bzip2"] = func(b []byte) []byte {
			c := exec.Command("bzip2", "-c")
			c.Stdin = bytes.NewReader(b)
			out, err := c.Output()
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	return m
}

func open(t *testing.T, content []byte) *Stream {
	t.Helper()
	path := filepath.Join(t.TempDir(), "no-telling-name")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func lines(t *testing.T, s *Stream) (out []string, err error) {
	t.Helper()
	for {
		line, err := s.Next()
		if err != nil && !errors.Is(err, ErrTooLong) {
			return out, err
		}
		out = append(out, string(line))
	}
}

// A stream's lines don't depend on its compression; a half line at the end
// waits until it is whole.
func TestLines(t *testing.T) {
	for name, compress := range compressors(t) {
		t.Run(name, func(t *testing.T) {
			s := open(t, compress([]byte(text)))
			if head := s.Head(); string(head) != text {
				t.Errorf("head %q", head)
			}
			got, err := lines(t, s)
			if !errors.Is(err, io.EOF) || !slices.Equal(got, []string{"first", "second", "", "third"}) {
				t.Errorf("%q, %v", got, err)
			}
			if s.Offset() != int64(len(text)-len("half")) || s.Line() != 4 {
				t.Errorf("offset %d line %d", s.Offset(), s.Line())
			}
		})
	}
}

func TestSkip(t *testing.T) {
	a := open(t, []byte(strings.Repeat("a line of a log\n", 500)))
	for range 300 {
		if _, err := a.Next(); err != nil {
			t.Fatal(err)
		}
	}
	gz := compressors(t)["gzip"]
	grown := open(t, gz([]byte(strings.Repeat("a line of a log\n", 900))))
	if same, err := grown.Skip(a.Offset(), a.Line(), a.TailHash()); err != nil || same != Same || grown.Line() != 300 {
		t.Errorf("the same stream, grown and compressed: %v %v", same, err)
	}
	rest, _ := lines(t, grown)
	if len(rest) != 600 {
		t.Errorf("%d lines after the position, want 600", len(rest))
	}
	other := open(t, []byte(strings.Repeat("a line of a log\n", 250)+strings.Repeat("other lines here\n", 250)))
	if same, err := other.Skip(a.Offset(), a.Line(), a.TailHash()); err != nil || same != Other {
		t.Errorf("another stream with the same start: %v %v", same, err)
	}
	short := open(t, []byte("a line of a log\n"))
	if same, err := short.Skip(a.Offset(), a.Line(), a.TailHash()); err != nil || same != Cut {
		t.Errorf("a truncated stream: %v %v", same, err)
	}
}

// TestLongLine: the longest line that is read, and what is longer by one byte,
// than the buffer, and by far.
func TestLongLine(t *testing.T) {
	for length, want := range map[int]error{MaxLine: nil, MaxLine + 1: ErrTooLong, 256 << 10: ErrTooLong, 1 << 20: ErrTooLong} {
		s := open(t, []byte("before\n"+strings.Repeat("x", length)+"\nafter\n"))
		if line, err := s.Next(); err != nil || string(line) != "before" {
			t.Fatalf("%q %v", line, err)
		}
		if line, err := s.Next(); !errors.Is(err, want) || len(line) != MaxLine {
			t.Fatalf("%d bytes of %d, %v", len(line), length, err)
		}
		if line, err := s.Next(); err != nil || string(line) != "after" || s.Line() != 3 {
			t.Fatalf("%q %v line %d", line, err, s.Line())
		}
	}
}

func TestDamagedGzip(t *testing.T) {
	whole := compressors(t)["gzip"]([]byte(strings.Repeat("a line that is whole\n", 5000)))
	s := open(t, whole[:len(whole)/2])
	got, err := lines(t, s)
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("damage is not told: %v", err)
	}
	if len(got) == 0 || got[0] != "a line that is whole" {
		t.Errorf("%d whole lines before the damage", len(got))
	}
}

func TestRotationDate(t *testing.T) {
	if r := RotationOf("/var/log/maillog-20260105.gz"); r.Set != "/var/log/maillog" || !r.Date.Equal(time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", r)
	}
	if r := RotationOf("mail.log-99999999"); !r.Date.IsZero() {
		t.Errorf("no date: %+v", r)
	}
}

func TestZoneOf(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	none := put("none", "Jan  5 10:00:00 mx1 postfix/smtp[5]: x\n2026-01-05T01:00:00Z mx1 postfix/smtp[5]: x\n")
	tokyo := put("tokyo", "2026-01-05T10:00:00.123+09:00 mx1 postfix/smtp[5]: x\n")
	exim := put("exim", "2026-01-05 10:00:00.123 +0900 [5] 1rYcUl-0005vi-00 Completed\n")
	berlin := put("berlin", "2026-01-05T10:00:00+01:00 mx1 postfix/smtp[5]: x\n")
	if _, ok := ZoneOf([]string{none}); ok {
		t.Error("a zone from stamps without one")
	}
	z, ok := ZoneOf([]string{none, tokyo, exim})
	if _, seconds := time.Now().In(z).Zone(); !ok || seconds != 9*3600 {
		t.Errorf("%v %v, want +09:00", z, ok)
	}
	if _, ok := ZoneOf([]string{tokyo, berlin}); ok {
		t.Error("two zones are none")
	}
}

// A bounded file gives out what it had when it was bounded, and the rest later.
func TestLiveBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	add := func(text string) {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	add("one\ntw")
	l, err := OpenLive(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Bound()
	add("o\nthree\n")
	want := func(lines ...string) {
		t.Helper()
		for _, w := range lines {
			if line, err := l.Next(); err != nil || string(line) != w {
				t.Errorf("%q, %v; want %q", line, err, w)
			}
		}
		if line, err := l.Next(); !errors.Is(err, io.EOF) {
			t.Errorf("%q, %v; want no more", line, err)
		}
	}
	want("one")
	l.Unbound()
	want("two", "three")
}

// TestPendingInTheBuffer: a line that was read together with others and not
// asked for yet is still to come, although the file holds nothing more.
func TestPendingInTheBuffer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(path, []byte("one\ntwo\nhal"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLive(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i, want := range []string{"one", "two"} {
		if !l.Pending() {
			t.Errorf("before line %d: nothing is pending", i+1)
		}
		if line, err := l.Next(); err != nil || string(line) != want {
			t.Errorf("%q, %v; want %q", line, err, want)
		}
	}
	if l.Pending() {
		t.Error("half a line is pending")
	}
}
