package all

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"repute/delivery"
	"repute/parser"
)

// BenchmarkParse reads a sample log from memory, and tells how many times a
// bare scan for newlines of the same bytes in the same run it takes.
func BenchmarkParse(b *testing.B) {
	for name, file := range map[string]string{
		"postfix": "../../sample-logs/postfix-a/mail.log.2.gz",
		"exim":    "../../sample-logs/exim-b/mainlog.2.gz",
	} {
		b.Run(name, func(b *testing.B) {
			text := gunzip(b, file)
			lines := bytes.Count(text, []byte("\n"))
			head := bytes.SplitN(text, []byte("\n"), 200)
			format, err := parser.Detect(Formats(), head[:len(head)-1])
			if err != nil {
				b.Fatal(err)
			}
			p := format.New(parser.Options{})
			var events []delivery.Event
			b.ReportAllocs()
			var parse, scan time.Duration
			for b.Loop() {
				start := time.Now()
				eachLine(text, func(line []byte) { events, _ = p.Append(events[:0], line) })
				parse += time.Since(start)
				start = time.Now()
				eachLine(text, func([]byte) {})
				scan += time.Since(start)
			}
			b.ReportMetric(float64(parse.Nanoseconds())/float64(b.N)/float64(lines), "ns/line")
			b.ReportMetric(float64(parse)/float64(scan), "×scan")
		})
	}
}

func eachLine(text []byte, f func([]byte)) {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return
		}
		f(text[:i])
		text = text[i+1:]
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
