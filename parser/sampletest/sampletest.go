// Package sampletest checks a parser on a sample log with its golden file, in
// one form for all MTAs.
package sampletest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"

	"repute/delivery"
	"repute/parser"
)

// Check parses testdata/sample.log, a line at a time, and compares the events,
// a line each, with testdata/sample.golden; with update it writes that file.
// Lines that are not about delivery give none, a line that is not understood
// ends the test.
func Check(t *testing.T, p parser.Parser, update bool) {
	t.Helper()
	text, err := os.ReadFile("testdata/sample.log")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for line := range bytes.Lines(text) {
		events, err := p.Append(nil, bytes.TrimRight(line, "\n"))
		if errors.Is(err, parser.ErrIrrelevant) {
			continue
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for i := range events {
			write(&got, &events[i])
		}
	}
	const golden = "testdata/sample.golden"
	if update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.Len() == 0 || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got\n%swant\n%s", got.Bytes(), want)
	}
}

func write(out *bytes.Buffer, e *delivery.Event) {
	fmt.Fprintf(out, "%d %s %s %s %q→%q attempted=%t bounce=%t local=%t relay=%s[%s] source=%s via=%s waited=%g %d %s %s %s %q\n",
		e.At, e.QueueID, e.Kind, e.Status, e.Sender, e.Recipient, e.Attempted, e.Bounce, e.Local, e.RelayHost, e.RelayIP, e.LocalIP, e.Transport,
		e.QueueS, e.Reply.Code, e.Reply.Enhanced, e.Reply.Stage, e.Reply.Failure, e.Reply.Text)
}
