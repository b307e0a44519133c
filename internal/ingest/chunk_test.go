package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"testing"

	"repute/internal/source"
)

// TestChunks: what is read is the same whatever the reads' size and however
// many lines a batch holds.
func TestChunks(t *testing.T) {
	for _, file := range []string{
		"../../sample-logs/postfix-b/maillog", "../../sample-logs/postfix-a/mail.log", // plain
		"../../sample-logs/exim-b/mainlog.2.gz", "../../sample-logs/exim-b/mainlog.1.xz", "../../sample-logs/exim-a/mainlog.2.zst",
		"../../parser/kumomta/testdata/sample.log", "../../parser/powermta/testdata/sample.log", "../../parser/opensmtpd/testdata/sample.log",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, lines := readChunked(t, text, 256<<10, defaultBatch)
		if lines == 0 {
			t.Fatalf("%s: no lines", file)
		}
		for _, c := range []struct{ read, batch int }{
			{1, 50_000}, {2, 1}, {7, 13}, {4096, 1}, {4097, 100}, {64 << 10, 999}, {1 << 20, 1}, {1 << 20, 50_000},
		} {
			if got, n := readChunked(t, text, c.read, c.batch); got != want || n != lines {
				t.Errorf("%s, reads of %d bytes, batches of %d lines: other events (%d lines, not %d)", file, c.read, c.batch, n, lines)
			}
		}
	}
}

// readChunked returns a digest of the events, and the number of lines. Lines
// are those with events and those that the coverage counts as none.
func readChunked(t *testing.T, text []byte, read, batch int) (digest [32]byte, lines int64) {
	t.Helper()
	h := sha256.New()
	o := options(t)
	o.BatchLines = batch
	o.Stdin = &chunks{text, read}
	last, withEvents := int64(-1), int64(0)
	o.OnEvent = func(b *Booked) error {
		e := b.Event
		if b.Line != last {
			last, withEvents = b.Line, withEvents+1
		}
		_, err := fmt.Fprintln(h, b.Line, e.Kind, e.Status, e.Attempted, e.Local, e.Bounce, e.Truncated, e.Count, e.At, b.Sender, b.Domain, b.First, b.Class,
			bytes.Join([][]byte{e.Host, e.Tag, e.QueueID, e.NewID, e.Recipient, e.RelayHost, e.RelayIP, e.LocalIP, e.TLS, b.Reply.Text}, []byte{0}),
			b.Reply.Code, b.Reply.Enhanced, b.Reply.Stage, b.Reply.Failure, e.QueueS, e.ConnS, e.XmitS)
		return err
	}
	report, err := Run(context.Background(), []string{source.Stdin}, o)
	if err != nil || report.Files[0].Err != nil {
		t.Fatal(err, report.Files)
	}
	c := report.Total()
	if withEvents+c.Irrelevant+c.NotUnderstood+c.Oversize != c.Lines {
		t.Errorf("%d lines with events, and %+v: they don't add up", withEvents, c)
	}
	h.Sum(digest[:0])
	return digest, c.Lines
}

// chunks reads at most so many bytes at once.
type chunks struct {
	text []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.text[:min(c.size, len(c.text))])
	c.text = c.text[n:]
	return n, nil
}
