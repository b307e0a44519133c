package all

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"repute/delivery"
	"repute/parser"
)

// FuzzFormats: no line, whatever is in it, makes a parser panic, and each has
// exactly one of the three exits. Events borrow the line and never reach
// beyond it in size.
func FuzzFormats(f *testing.F) {
	for _, file := range []string{"testdata/postfix.tsv", "testdata/exim.tsv"} {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for row := range bytes.Lines(text) {
			if cols := bytes.SplitN(bytes.TrimRight(row, "\n"), []byte("\t"), 3); len(cols) == 3 {
				f.Add(cols[2])
			}
		}
	}
	f.Add([]byte("Jan  5 10:00:00 mx1 postfix/smtp[5]: message repeated 99999999 times: [ 3F2A11C0D5: removed]"))
	f.Add([]byte("<22>1 2026-01-05T10:00:00Z mx1 postfix 1 - [a b=\"]\\\"\"] 3F2A11C0D5: to=<\"\\"))
	f.Add([]byte("2026-01-05 10:00:00 1rYcUl-0005vi-00 == \"a b:"))
	f.Add([]byte("0000-00-00 00:00:00 000000-00000000000-0000 ** 0  "))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, format := range Formats() {
			p := format.New(parser.Options{})
			for range 2 { // the second time with the parser's memory in use
				events, err := p.Append(nil, line)
				var syntax *parser.SyntaxError
				switch {
				case err == nil:
				case errors.Is(err, parser.ErrIrrelevant), errors.As(err, &syntax):
					if len(events) > 0 {
						t.Fatalf("%s: events and %v", format.Name, err)
					}
				default:
					t.Fatalf("%s: %v is none of the exits", format.Name, err)
				}
				for i := range events {
					check(t, &events[i], len(line))
				}
			}
		}
	})
}

func check(t *testing.T, e *delivery.Event, n int) {
	t.Helper()
	for _, b := range [][]byte{e.Host, e.Tag, e.QueueID, e.NewID, e.Sender, e.Recipient, e.RelayHost, e.RelayIP, e.LocalIP, e.Reply.Text} {
		if len(b) > n+len("exim") {
			t.Fatalf("a field of %d bytes from a line of %d", len(b), n)
		}
	}
	if e.Kind == delivery.KindNone || e.Reply.Code > 999 || e.Attempted && e.Local {
		t.Fatalf("%+v", e)
	}
}
