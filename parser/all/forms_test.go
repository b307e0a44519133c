package all

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"repute/delivery"
	"repute/parser"
)

// TestForms reads one line of every known form, each as a stream of its own,
// and compares the outcome: testdata/*.tsv hold name, outcome, line.
func TestForms(t *testing.T) {
	for _, file := range []string{"testdata/postfix.tsv", "testdata/exim.tsv"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for row := range bytes.Lines(text) {
			cols := bytes.SplitN(bytes.TrimRight(row, "\n"), []byte("\t"), 3)
			if len(cols) != 3 {
				t.Fatalf("%s: %q", file, row)
			}
			t.Run(string(cols[0]), func(t *testing.T) {
				if got := outcomeOf(t, cols[2]); got != string(cols[1]) {
					t.Errorf("outcome %s, want %s:\n%s", got, cols[1], cols[2])
				}
			})
		}
	}
}

func outcomeOf(t *testing.T, line []byte) string {
	t.Helper()
	f, err := parser.Detect(Formats(), [][]byte{line})
	if errors.Is(err, parser.ErrNotRecognised) {
		return "other"
	}
	events, err := f.New(parser.Options{}).Append(nil, line)
	if err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if events[0].Kind == delivery.Probe {
		return "probe"
	}
	if s := events[0].Status.String(); s != "" {
		return s
	}
	return "other"
}
