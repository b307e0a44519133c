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

// TestQuietDay: a log without deliveries is a log all the same; a log of
// other programs is none.
func TestQuietDay(t *testing.T) {
	for line, want := range map[string]string{
		"Jan  5 10:00:00 mx1 postfix/anvil[5]: statistics: max connection rate 1/60s for (smtp:192.0.2.1) at Jan  5 09:56:00": "syslog",
		"2026-01-05T10:00:00+09:00 mx1 exim[5]: no host name found for IP address 192.0.2.1":                                  "syslog",
		"2026-01-05 10:00:00 Start queue run: pid=347":                                                                        "exim",
		"2026-01-05 10:00:00 exim 4.96 daemon started: pid=335, -q10s, listening for SMTP on [127.0.0.1]:25":                  "exim",
		"Jan  5 10:00:00 mx1 sshd[5]: Accepted publickey for root":                                                            "",
		"2026-01-05T10:00:00+09:00 mx1 systemd[1]: Started Session 3 of user exim":                                            "",
	} {
		if f, _ := parser.Detect(Formats(), [][]byte{[]byte(line)}); f.Name != want {
			t.Errorf("%s is taken for %q, want %q", line, f.Name, want)
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
	if errors.Is(err, parser.ErrIrrelevant) {
		return "other"
	}
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
