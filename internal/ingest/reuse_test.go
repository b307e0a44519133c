package ingest

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReusedID: a queue id comes again, and nothing told that its former
// message was removed. Each of the lines of the second tells that it is
// another; lines that a retry has, too, do not.
func TestReusedID(t *testing.T) {
	const relay = "mx.example.net[192.0.2.7]:25"
	cleanup := "2026-01-05T10:00:00Z mx1 postfix/cleanup[1]: 3F2A11C0D5: message-id=<one@example.com>\n"
	first := cleanup + queued + attempt("10:00:01", "bob@example.net", relay, "4.7.1", "deferred (host mx.example.net[192.0.2.7] said: 421 4.7.1 later)")
	later := func(text string) string { return strings.ReplaceAll(text, "T10:00:0", "T20:00:0") }
	other := later(strings.Replace(queued, "news@example.com", "other@example.org", 1))
	again := attempt("20:00:01", "bob@example.net", relay, "2.0.0", "sent (250 2.0.0 ok)")
	old := strings.ReplaceAll(again, "delay=1, delays=1/", "delay=36001, delays=36001/")
	pickup := "2026-01-05T10:00:00Z mx1 postfix/pickup[1]: 3F2A11C0D5: uid=0 from=<root@mx1.example>\n"
	const deferred, accepted = "bob@example.net example.net defer_slow news@example.com", "bob@example.net example.net accepted "
	for _, c := range []struct {
		name, log string
		want      []string
	}{
		{"the client", first + "2026-01-05T20:00:00Z mx1 postfix/smtpd[3]: 3F2A11C0D5: client=app[192.0.2.200]\n" + other + again, []string{deferred, accepted + "other@example.org"}},
		{"the message-id", first + later(strings.Replace(cleanup, "one@", "two@", 1)) + other + again, []string{deferred, accepted + "other@example.org"}},
		{"the sender", first + other + again, []string{deferred, accepted + "other@example.org"}},
		{"a retry", first + later(queued) + old, []string{deferred}},
		{"a retry, the sender was rewritten", pickup + first + later(queued) + old, []string{deferred}},
		{"a retry, the queue manager's line alone", queued + attempt("10:00:01", "bob@example.net", relay, "4.7.1", "deferred (host mx.example.net[192.0.2.7] said: 421 4.7.1 later)") + later(queued) + old, []string{deferred}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := classes(t, c.log); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			cab := newCabin(t)
			if _, err := Run(context.Background(), []string{write(t, c.log)}, cab.o); err != nil {
				t.Fatal(err)
			}
			steps, err := cab.s.Trace(context.Background(), "3F2A11C0D5", 0)
			if err != nil || len(steps) != 2 {
				t.Fatalf("%d steps, %v", len(steps), err)
			}
			if two := steps[0].Message != steps[1].Message; two != (len(c.want) == 2) {
				t.Errorf("%s: trace shows two messages: %v", filepath.Base(t.Name()), two)
			}
		})
	}
}
