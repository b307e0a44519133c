package ingest

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"repute/internal/source"
)

// BenchmarkParseOnly is `repute parse --format none` on a plain file of some
// hundred thousand lines, and how many times a bare scan for newlines of the
// same file in the same run it takes.
func BenchmarkParseOnly(b *testing.B) {
	for name, file := range map[string]string{
		"postfix": "../../sample-logs/postfix-a/mail.log.2.gz",
		"exim":    "../../sample-logs/exim-b/mainlog.2.gz",
	} {
		b.Run(name, func(b *testing.B) {
			path, lines := plainFile(b, file, 20)
			o := options(b)
			parse, scan := time.Hour, time.Hour // the best of all runs
			for b.Loop() {
				start := time.Now()
				report, err := Run(context.Background(), []string{path}, o)
				parse = min(parse, time.Since(start))
				if c := report.Total(); err != nil || c.Lines != lines || c.NotUnderstood > 0 {
					b.Fatal(err, c)
				}
				start = time.Now()
				scanLines(b, path)
				scan = min(scan, time.Since(start))
			}
			b.ReportMetric(float64(parse.Nanoseconds())/float64(lines), "ns/line")
			b.ReportMetric(float64(parse)/float64(scan), "×scan")
		})
	}
}

// TestNoAllocation: parsing alone takes no memory for a line, only for a file.
func TestNoAllocation(t *testing.T) {
	for _, file := range []string{"../../sample-logs/postfix-a/mail.log.2.gz", "../../sample-logs/exim-b/mainlog.2.gz"} {
		allocations := func(times int) (n float64, lines int64) {
			path, lines := plainFile(t, file, times)
			o := options(t)
			return testing.AllocsPerRun(1, func() {
				if _, err := Run(t.Context(), []string{path}, o); err != nil {
					t.Fatal(err)
				}
			}), lines
		}
		once, _ := allocations(1)
		more, lines := allocations(4)
		if more-once > float64(lines)/1000 {
			t.Errorf("%s: %.0f allocations for the file once, %.0f for it four times (%d lines)", file, once, more, lines)
		}
	}
}

// plainFile writes a log uncompressed, several times over.
func plainFile(b testing.TB, file string, times int) (path string, lines int64) {
	b.Helper()
	s, err := source.Open(file, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var text bytes.Buffer
	for {
		line, err := s.Next()
		if err != nil {
			break
		}
		text.Write(line)
		text.WriteByte('\n')
		lines++
	}
	path = filepath.Join(b.TempDir(), "log")
	if err := os.WriteFile(path, bytes.Repeat(text.Bytes(), times), 0o600); err != nil {
		b.Fatal(err)
	}
	return path, lines * int64(times)
}

func scanLines(b *testing.B, path string) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewReaderSize(f, 256<<10); ; {
		if _, err := in.ReadSlice('\n'); err != nil {
			return
		}
	}
}
