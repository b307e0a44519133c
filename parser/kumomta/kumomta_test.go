package kumomta

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"repute/parser"
)

var update = flag.Bool("update", false, "write the golden file")

// TestSample compares the events of a sample log with those kept.
func TestSample(t *testing.T) {
	text, err := os.ReadFile("testdata/sample.log")
	if err != nil {
		t.Fatal(err)
	}
	p := New(parser.Options{Host: "mx1"})
	var got bytes.Buffer
	for line := range bytes.Lines(text) {
		events, err := p.Append(nil, bytes.TrimRight(line, "\n"))
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, e := range events {
			fmt.Fprintf(&got, "%d %s %s %s %q→%q attempted=%t bounce=%t relay=%s[%s] local=%s via=%s %d %s %s %q\n", e.At, e.QueueID, e.Kind, e.Status,
				e.Sender, e.Recipient, e.Attempted, e.Bounce, e.RelayHost, e.RelayIP, e.LocalIP, e.Transport, e.Reply.Code, e.Reply.Enhanced, e.Reply.Stage, e.Reply.Text)
		}
	}
	const golden = "testdata/sample.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got\n%swant\n%s", got.Bytes(), want)
	}
}

func TestExits(t *testing.T) {
	p := New(parser.Options{})
	var syntax *parser.SyntaxError
	for line, want := range map[string]error{
		"Jan  5 10:00:00 mx1 postfix/smtp[5]: x":          parser.ErrIrrelevant,
		`{"type":"Feedback","id":"x","timestamp":1}`:      parser.ErrIrrelevant,
		`{"log":"docker"}`:                                parser.ErrIrrelevant,
		`{"type":"Delivery","id":"x","timestamp":"no"}`:   syntax,
		`{"type":"Delivery","id":"x","recipient":{"a":1}`: syntax,
	} {
		events, err := p.Append(nil, []byte(line))
		if len(events) > 0 || want == parser.ErrIrrelevant && !errors.Is(err, parser.ErrIrrelevant) || want == error(syntax) && !errors.As(err, &syntax) {
			t.Errorf("%s: %d events, %v", line, len(events), err)
		}
	}
}
