package opensmtpd_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"repute/parser"
	"repute/parser/opensmtpd"
)

var update = flag.Bool("update", false, "write the golden file")

// TestSample compares the events of a sample log with those kept.
func TestSample(t *testing.T) {
	text, err := os.ReadFile("testdata/sample.log")
	if err != nil {
		t.Fatal(err)
	}
	p := parser.NewSyslog(parser.Options{Year: 2019}, opensmtpd.New())
	var got bytes.Buffer
	for line := range bytes.Lines(text) {
		events, err := p.Append(nil, bytes.TrimRight(line, "\n"))
		if errors.Is(err, parser.ErrIrrelevant) {
			continue
		}
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		for _, e := range events {
			fmt.Fprintf(&got, "%d %s %s %s %q→%q attempted=%t bounce=%t local=%t relay=%s[%s] source=%s waited=%g %d %s %s %s %q\n", e.At, e.QueueID, e.Kind, e.Status,
				e.Sender, e.Recipient, e.Attempted, e.Bounce, e.Local, e.RelayHost, e.RelayIP, e.LocalIP, e.QueueS, e.Reply.Code, e.Reply.Enhanced, e.Reply.Stage, e.Reply.Failure, e.Reply.Text)
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

// TestNotUnderstood: a delivery line with unknown fields is reported.
func TestNotUnderstood(t *testing.T) {
	p := parser.NewSyslog(parser.Options{}, opensmtpd.New())
	var syntax *parser.SyntaxError
	for _, text := range []string{
		`mta delivery evpid=1 from=<a@example.com> to=<b@example.com> rcpt=<-> via="x"`,
		`mta delivery evpid=1 from=<a@example.com`,
		`mta delivery evpid=1 from=<> to=<b@example.com> rcpt=<-> source="-" relay="-" delay=1s result="Perhaps" stat="250 ok"`,
	} {
		events, err := p.Append(nil, []byte("Jul  6 06:01:40 mx1 smtpd[1]: 5df87c9b982c840c "+text))
		if len(events) > 0 || !errors.As(err, &syntax) {
			t.Errorf("%s: %d events, %v", text, len(events), err)
		}
	}
}
