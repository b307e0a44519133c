package parser_test

import (
	"errors"
	"testing"

	"repute/parser"
	"repute/parser/all"
)

// TestRepeats counts what one stream's lines stand for.
func TestRepeats(t *testing.T) {
	p := all.Formats()[0].New(parser.Options{})
	const removed = " postfix/qmgr[1]: 3F2A11C0D5: removed"
	for _, step := range []struct {
		line string
		want uint32 // 0: irrelevant
	}{
		{"Jan  5 10:00:00 mx1 last message repeated 3 times", 0},
		{"Jan  5 10:00:00 mx1" + removed, 1},
		{"Jan  5 10:00:01 mx1 last message repeated 3 times", 3},
		{"Jan  5 10:00:02 mx1 last message repeated 2 times", 2},
		{"Jan  5 10:00:02 mx2 last message repeated 2 times", 0}, // another host
		{"Jan  5 10:00:02 mx2" + removed, 1},
		{"Jan  5 10:00:03 mx1 dovecot: imap-login: Login", 0},
		{"Jan  5 10:00:03 mx1 last message repeated 9 times", 0}, // dovecot's
		{"Jan  5 10:00:03 mx2 last message repeated 4 times", 4},
		{"Jan  5 10:00:04 mx1 postfix/qmgr[1]: message repeated 5 times: [ 3F2A11C0D5: removed]", 5},
		{"Jan  5 10:00:04 mx1 exim[1]: message repeated 2 times: [ 1rYcUl-0005vi-00 Completed]", 2},
		{"Jan  5 10:00:04 mx1 postfix/qmgr[1]: message repeated 99999999999 times: [ 3F2A11C0D5: removed]", 1_000_000},
	} {
		events, err := p.Append(nil, []byte(step.line))
		got := uint32(0)
		if err == nil && len(events) == 1 {
			got = events[0].Count
		}
		if got != step.want || (step.want == 0 && !errors.Is(err, parser.ErrIrrelevant)) {
			t.Errorf("%s: %d times (%v), want %d", step.line, got, err, step.want)
		}
	}
}
