package all

import (
	"bytes"
	"os"
	"testing"

	"repute/delivery"
	"repute/parser"
)

// TestNoAllocation: in the steady state a parser takes no memory, whatever
// form the lines have. JSON envelopes are left out: they are unpacked.
func TestNoAllocation(t *testing.T) {
	for _, file := range []string{"testdata/postfix.tsv", "testdata/exim.tsv"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for row := range bytes.Lines(text) {
			cols := bytes.SplitN(bytes.TrimRight(row, "\n"), []byte("\t"), 3)
			if bytes.HasPrefix(cols[2], []byte("{")) {
				continue
			}
			for _, format := range Formats() {
				p := format.New(parser.Options{})
				var events []delivery.Event
				n := testing.AllocsPerRun(10, func() { events, _ = p.Append(events[:0], cols[2]) })
				if n > 0 {
					t.Errorf("%s, %s: %.0f allocations", format.Name, cols[0], n)
				}
			}
		}
	}
}
