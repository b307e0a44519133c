package ingest

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"repute/internal/source"
)

// TestQuietPipe: who interrupts a read need not wait for a pipe that is quiet,
// before its first byte, within what tells its format, and after that.
func TestQuietPipe(t *testing.T) {
	for _, n := range []int{0, 3, 5000} {
		cab := newCabin(t)
		quiet, in := io.Pipe()
		defer in.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cab.o.Stdin = quiet
		go func() {
			_, _ = io.WriteString(in, mailLines(0, n)) // returns once it is read
			cancel()
		}()
		if r, err := Run(ctx, []string{source.Stdin}, cab.o); !errors.Is(err, context.Canceled) {
			t.Errorf("%d lines: %v %v", n, err, r.Files)
		}
		cab.o.Stdin = strings.NewReader(mailLines(0, n+1)) // the next run reads them all
		if r, err := Run(t.Context(), []string{source.Stdin}, cab.o); err != nil || r.Files[0].Err != nil {
			t.Fatal(err, r.Files)
		}
		cab.holds(int64(n + 1))
	}
}

// TestPipeReadOnce: of a pipe that begins as a log of before and goes on
// otherwise nothing is passed over in silence.
func TestPipeReadOnce(t *testing.T) {
	cab := newCabin(t)
	cab.put("mail.log", []byte(mailLines(0, 100)))
	cab.read("mail.log")
	text := mailLines(0, 50) + mailLines(51, 150)
	cab.o.Stdin = strings.NewReader(text)
	if r, err := Run(context.Background(), []string{source.Stdin}, cab.o); err != nil || !errors.Is(r.Files[0].Err, errReadOnce) {
		t.Errorf("%v %v", err, r.Files)
	}
	cab.put("other.log", []byte(text))
	cab.read("other.log")
	cab.holds(150)
}

// TestCutInLongLine: a file that ends within a line longer than any that is
// read goes on there, and is not taken for another.
func TestCutInLongLine(t *testing.T) {
	cab := newCabin(t)
	text := mailLines(0, 20) + strings.Repeat("x", 400<<10) + "\n" + mailLine(20)
	cab.put("mail.log", []byte(text[:300<<10]))
	cab.read("mail.log")
	cab.put("mail.log", []byte(text))
	r, err := Run(context.Background(), []string{filepath.Join(cab.dir, "mail.log")}, cab.o)
	if c := r.Total(); err != nil || c.Lines != 2 || c.Oversize != 1 || c.Attempts != 1 || c.Repeated != 0 {
		t.Errorf("%v %+v", err, c)
	}
	cab.holds(21)
}
