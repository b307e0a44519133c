package all

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"repute/delivery"
	"repute/parser"
)

// One target for each MTA, so that each has a corpus of its own; those that
// write through syslog share a parser.

func FuzzPostfix(f *testing.F)    { fuzzLog(f, "syslog", "testdata/postfix.tsv") }
func FuzzExim(f *testing.F)       { fuzzLog(f, "exim", "testdata/exim.tsv") }
func FuzzEximSyslog(f *testing.F) { fuzzLog(f, "syslog", "testdata/exim.tsv") }
func FuzzKumoMTA(f *testing.F)    { fuzzLog(f, "kumomta", "../kumomta/testdata/sample.log") }
func FuzzOpenSMTPD(f *testing.F)  { fuzzLog(f, "syslog", "../opensmtpd/testdata/sample.log") }
func FuzzPowerMTA(f *testing.F)   { fuzzLog(f, "powermta", "../powermta/testdata/sample.log") }

// fuzzLog: whatever is in a log, nothing panics; each line has exactly one of
// the three exits, so that the counts add up; events never reach beyond their
// line; and memory stays within 8 times the log and 64 KiB.
func fuzzLog(f *testing.F, format, seeds string) {
	for _, seed := range fuzzSeeds(f, seeds) {
		f.Add(seed)
	}
	for _, seed := range []string{
		"Jan  5 10:00:00 mx1 postfix/smtp[5]: message repeated 99999999 times: [ 3F2A11C0D5: removed]\nJan  5 10:00:00 mx1 last message repeated 2 times",
		"<22>1 2026-01-05T10:00:00Z mx1 postfix 1 - [a b=\"]\\\"\"] 3F2A11C0D5: to=<\"\\",
		"2026-01-05T01:00:00.1Z stdout P Jan  5 10:00:00 mx1 postfix/smtp[5]: 3F2A11C0D5: to=<a@b>\n2026-01-05T01:00:00.1Z stdout F , status=sent (250",
		"2026-01-05 10:00:00 1rYcUl-0005vi-00 == \"a b:",
		"0000-00-00 00:00:00 000000-00000000000-0000 ** 0  ",
		"Feb 29 10:00:00 mx1 exim[1]: [1/2] 1rYcUl-0005vi-00 => a@b C=\"\nFeb 29 10:00:00 mx1 exim[1]: [2/2] 250 ok\"",
	} {
		f.Add([]byte(seed))
	}
	var build func(parser.Options) parser.Parser
	for _, known := range Formats() {
		if known.Name == format {
			build = known.New
		}
	}
	var events []delivery.Event // the caller's, taken once
	f.Fuzz(func(t *testing.T, log []byte) {
		var counts exits
		for range 2 {
			events, counts = readAll(t, build(parser.Options{Host: "mx1"}), events, log)
		}
		if counts.withEvents+counts.parts+counts.irrelevant+counts.notUnderstood != counts.lines {
			t.Fatalf("the counts don't add up: %+v", counts)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		events, _ = readAll(t, build(parser.Options{}), events, log)
		runtime.ReadMemStats(&after)
		if taken, limit := after.TotalAlloc-before.TotalAlloc, uint64(8*len(log)+64<<10); taken > limit {
			t.Fatalf("%d bytes taken for a log of %d", taken, len(log))
		}
	})
}

// exits counts the lines by what became of them.
type exits struct{ lines, withEvents, parts, irrelevant, notUnderstood int }

func readAll(t *testing.T, p parser.Parser, events []delivery.Event, log []byte) ([]delivery.Event, exits) {
	var n exits
	longest := 0 // a line may be joined from parts, or repeat an earlier one
	for line := range bytes.Lines(log) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		longest += len(line)
		n.lines++
		var err error
		events, err = p.Append(events[:0], line)
		var syntax *parser.SyntaxError
		switch {
		case err == nil && len(events) > 0:
			n.withEvents++
		case err == nil:
			n.parts++
		case len(events) > 0:
			t.Fatalf("events and %v", err)
		case err == parser.ErrIrrelevant: // it comes bare
			n.irrelevant++
		case errors.As(err, &syntax):
			n.notUnderstood++
		}
		for i := range events {
			check(t, &events[i], longest)
		}
	}
	return events, n
}

func check(t *testing.T, e *delivery.Event, n int) {
	for _, b := range [...][]byte{e.Host, e.QueueID, e.NewID, e.Sender, e.Recipient, e.RelayHost, e.RelayIP, e.LocalIP, e.Reply.Text} {
		if len(b) > 3*n+16 { // JSON spells a bad byte with three; 16 for an id of the parser's own
			t.Fatalf("a field of %d bytes from %d", len(b), n)
		}
	}
	if e.Kind == delivery.KindNone || e.Reply.Code > 999 || e.Attempted && e.Local {
		t.Fatalf("%+v", e)
	}
}

// fuzzSeeds are the lines of a sample, three at a time, or of a table of
// forms, one at a time.
func fuzzSeeds(f *testing.F, file string) (seeds [][]byte) {
	f.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	var sample []byte
	for row := range bytes.Lines(text) {
		if cols := bytes.SplitN(bytes.TrimRight(row, "\n"), []byte("\t"), 3); len(cols) == 3 {
			seeds = append(seeds, cols[2])
		} else if sample = append(sample, row...); bytes.Count(sample, []byte("\n")) == 3 {
			seeds, sample = append(seeds, sample), nil
		}
	}
	if len(sample) > 0 {
		seeds = append(seeds, sample)
	}
	return seeds
}
