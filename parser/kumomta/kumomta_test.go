package kumomta

import (
	"errors"
	"flag"
	"testing"

	"repute/parser"
	"repute/parser/sampletest"
)

var update = flag.Bool("update", false, "write the golden file")

// TestSample compares the events of a sample log with those kept.
func TestSample(t *testing.T) { sampletest.Check(t, New(parser.Options{Host: "mx1"}), *update) }

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
