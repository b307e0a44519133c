package all

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"repute/delivery"
	"repute/parser"
)

// BenchmarkParse reads a plain log file line by line and parses it, and tells
// how many times a scan for newlines of the same file in the same run it
// takes: a bare one by blocks of 256 KiB, and a bufio.Scanner's.
func BenchmarkParse(b *testing.B) {
	for name, file := range map[string]string{
		"postfix": "../../sample-logs/postfix-a/mail.log.2.gz",
		"exim":    "../../sample-logs/exim-b/mainlog.2.gz",
	} {
		b.Run(name, func(b *testing.B) {
			text := gunzip(b, file)
			path := filepath.Join(b.TempDir(), name)
			if err := os.WriteFile(path, text, 0o600); err != nil {
				b.Fatal(err)
			}
			lines := bytes.Count(text, []byte("\n"))
			head := bytes.SplitN(text, []byte("\n"), 200)
			format, err := parser.Detect(Formats(), head[:len(head)-1])
			if err != nil {
				b.Fatal(err)
			}
			p := format.New(parser.Options{})
			var events []delivery.Event
			b.ReportAllocs()
			in := bufio.NewReaderSize(nil, 256<<10)
			parse, scan, scanner := time.Hour, time.Hour, time.Hour // the best of all runs
			for b.Loop() {
				parse = min(parse, timed(func() {
					eachLine(b, in, path, func(line []byte) { events, _ = p.Append(events[:0], line) })
				}))
				scan = min(scan, timed(func() { eachLine(b, in, path, func([]byte) {}) }))
				scanner = min(scanner, timed(func() { scanLines(b, path) }))
			}
			perLine := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / float64(lines) }
			b.ReportMetric(perLine(parse), "ns/line")
			b.ReportMetric(perLine(scan), "scan-ns/line")
			b.ReportMetric(float64(parse)/float64(scan), "×scan")
			b.ReportMetric(float64(parse)/float64(scanner), "×Scanner")
		})
	}
}

func timed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

// scanLines is the usual way to go through a file's lines.
func scanLines(b *testing.B, path string) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		_ = in.Bytes()
	}
}

// eachLine goes through a file's lines in blocks, as the program does.
func eachLine(b *testing.B, in *bufio.Reader, path string, line func([]byte)) {
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	in.Reset(f)
	for {
		text, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		line(text[:len(text)-1])
	}
}

func gunzip(b *testing.B, file string) []byte {
	b.Helper()
	raw, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		b.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if _, err := out.ReadFrom(z); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}
