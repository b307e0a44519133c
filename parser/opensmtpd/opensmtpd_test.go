package opensmtpd_test

import (
	"errors"
	"flag"
	"testing"

	"repute/parser"
	"repute/parser/opensmtpd"
	"repute/parser/sampletest"
)

var update = flag.Bool("update", false, "write the golden file")

// TestSample compares the events of a sample log with those kept.
func TestSample(t *testing.T) {
	sampletest.Check(t, parser.NewSyslog(parser.Options{Year: 2019}, opensmtpd.New()), *update)
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
