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
// how many times a bare scan for newlines of the same file in the same run it
// takes.
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
			parse, scan := time.Hour, time.Hour // the best of all runs
			for b.Loop() {
				start := time.Now()
				eachLine(b, in, path, func(line []byte) { events, _ = p.Append(events[:0], line) })
				parse = min(parse, time.Since(start))
				start = time.Now()
				eachLine(b, in, path, func([]byte) {})
				scan = min(scan, time.Since(start))
			}
			b.ReportMetric(float64(parse.Nanoseconds())/float64(lines), "ns/line")
			b.ReportMetric(float64(scan.Nanoseconds())/float64(lines), "scan-ns/line")
			b.ReportMetric(float64(parse)/float64(scan), "×scan")
		})
	}
}

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
