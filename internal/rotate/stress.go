package rotate

import (
	"strings"
	"time"
)

// Case is a way to write and to rotate, while a reader follows.
type Case struct {
	Name string
	// Write opens the log, writes some lines at a time, and closes it.
	Write func(w *Writer, some int)
	Torn  int // lines that no reader can take in whole
}

// Cases are the stress matrix, but for restarts.
func Cases() []Case {
	return []Case{
		{"rename and create", renameCreate, 0},
		{"old descriptor kept 500 ms", func(w *Writer, some int) { oldKept(w, some, 3, 500*time.Millisecond) }, 0},
		{"old descriptor kept 5 s", func(w *Writer, some int) { oldKept(w, some, 1, 5*time.Second) }, 0},
		{"path absent meanwhile", pathAbsent, 0},
		{"copy and truncate", copyTruncate, 0},
		{"rename and gzip", renameGzip, 0},
		{"twenty fast rotations", twentyFast, 0},
		{"absent at the start", absent, 0},
		{"half lines", halfLines, 0},
		{"a line of a megabyte", megabyte, 1},
	}
}

func renameCreate(w *Writer, some int) {
	w.Open()
	for range 3 {
		w.Lines(some)
		w.Rotate()
		w.Reopen()
	}
	w.Lines(some)
	w.Close()
}

// oldKept is rsyslog and postlogd: logrotate makes the new file, and the
// writer learns of it later.
func oldKept(w *Writer, some, times int, d time.Duration) {
	w.Open()
	for range times {
		w.Lines(some)
		w.Rotate()
		old := w.file
		w.Open()
		fresh := w.file
		w.file = old
		w.For(d, some)
		w.Close()
		w.file = fresh
		w.Lines(some)
	}
	w.Close()
}

func pathAbsent(w *Writer, some int) {
	w.Open()
	for range 2 {
		w.Lines(some)
		w.Rotate()
		w.For(500*time.Millisecond, some)
		w.Close()
		time.Sleep(300 * time.Millisecond)
		w.Open()
	}
	w.Lines(some)
	w.Close()
}

func copyTruncate(w *Writer, some int) {
	w.Open()
	for range 3 {
		w.Lines(some)
		w.CopyTruncate()
	}
	w.Lines(some)
	w.Close()
}

func renameGzip(w *Writer, some int) {
	w.Open()
	for range 2 {
		w.Lines(some)
		w.Rotate()
		w.Reopen()
		w.Compress(1)
	}
	w.Lines(some)
	w.Close()
}

func twentyFast(w *Writer, some int) {
	w.Open()
	for range 20 {
		w.Lines(max(1, some/10))
		w.Rotate()
		w.Reopen()
	}
	w.Lines(some)
	w.Close()
}

func absent(w *Writer, some int) {
	time.Sleep(700 * time.Millisecond)
	w.Open()
	w.Lines(some)
	w.Close()
}

func halfLines(w *Writer, some int) {
	w.Open()
	for range 50 {
		w.Half(5 * time.Millisecond)
	}
	w.Lines(some)
	w.Close()
}

func megabyte(w *Writer, some int) {
	w.Open()
	w.Lines(some)
	w.Text(strings.Repeat("x", 1<<20) + "\n")
	w.Lines(some)
	w.Close()
}

// Down writes what a reader that is down misses: some lines, then so many
// rotations with as many each, every second one compressed.
func Down(w *Writer, some, rotations int) {
	w.Lines(some)
	for i := range rotations {
		w.Rotate()
		w.Reopen()
		w.Lines(some)
		if i%2 == 1 {
			w.Compress(2)
		}
	}
}
