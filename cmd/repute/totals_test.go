package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"repute/delivery"
	"repute/internal/ingest"
	"repute/internal/source"
)

// totals are what log summarisers count. Messages are counted once, whatever
// their recipients.
type totals struct {
	Received, Delivered, Deferrals, Bounced int // lines
	DeferredMessages, FailedMessages        int
}

// sampleTotals reads a folder of sample logs.
func sampleTotals(t *testing.T, folder string) totals {
	t.Helper()
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), env: func(string) string { return "" }}
	r, err := a.newReading()
	if err != nil {
		t.Fatal(err)
	}
	var n totals
	deferred, failed := map[string]bool{}, map[string]bool{}
	_, err = a.ingest(t.Context(), r, []string{folder}, ingest.Options{OnEvent: func(b *ingest.Booked) error {
		id := string(b.QueueID)
		switch {
		case b.Kind == delivery.Requeued, b.Kind == delivery.Queued && arrival(b.Event):
			n.Received++
		case b.Kind != delivery.Attempt:
		case b.Status == delivery.Sent:
			n.Delivered++
		case b.Status == delivery.Deferred:
			n.Deferrals++
			deferred[id] = true
		case b.Status == delivery.Bounced:
			n.Bounced++
			failed[id] = true
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.DeferredMessages, n.FailedMessages = len(deferred), len(failed)
	return n
}

// arrival tells the line with which a message comes in from those that tell
// more of it: smtpd's and pickup's, and Exim's.
func arrival(e *delivery.Event) bool {
	return len(e.Client) > 0 || e.HasSender && e.Size == 0 || string(e.Tag) == "exim"
}

// plainLog joins a folder's logs, uncompressed, oldest first.
func plainLog(t *testing.T, folder string) string {
	t.Helper()
	files, errs := source.Expand([]string{folder})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var text bytes.Buffer
	for _, path := range files {
		s, err := source.Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := s.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			text.Write(line)
			text.WriteByte('\n')
		}
		s.Close()
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPflogsumm: totals are those of pflogsumm, once it is told the tags.
func TestPflogsumm(t *testing.T) {
	program, err := exec.LookPath("pflogsumm")
	if err != nil {
		if os.Getenv("REPUTE_REQUIRE") != "" {
			t.Fatal("needs pflogsumm (make needs)")
		}
		t.Skip("needs pflogsumm (make needs)")
	}
	for folder, tags := range map[string]string{"postfix-a": "postfix(?:-ip1|/out2)?", "postfix-b": "postfix-b(?:-ip22)?"} {
		ours := sampleTotals(t, "../../sample-logs/"+folder)
		out, err := exec.CommandContext(t.Context(), program, "--syslog-name", tags, plainLog(t, "../../sample-logs/"+folder)).Output()
		if err != nil {
			t.Fatal(err)
		}
		number := func(pattern string) (n int) {
			if m := regexp.MustCompile(pattern).FindSubmatch(out); m != nil {
				fmt.Sscan(string(m[1]), &n)
			}
			return n
		}
		theirs := totals{
			Received: number(`(\d+)   received`), Delivered: number(`(\d+)   delivered`), Bounced: number(`(\d+)   bounced`),
			DeferredMessages: number(`(\d+)   deferred`), Deferrals: number(`\((\d+)  deferrals`), FailedMessages: ours.FailedMessages,
		}
		t.Logf("%s: %+v", folder, ours)
		if ours != theirs || ours.Delivered == 0 {
			t.Errorf("%s: %+v; pflogsumm: %+v", folder, ours, theirs)
		}
	}
}

// TestEximstats: totals are those of Exim's own eximstats (Debian 12, 4.96).
// It can't be installed beside Postfix, so its figures stand here; where it is
// found they are asked for again.
func TestEximstats(t *testing.T) {
	for folder, theirs := range map[string]totals{
		"exim-a": {Received: 2332, Delivered: 3655, DeferredMessages: 346, FailedMessages: 277},
		"exim-b": {Received: 1828, Delivered: 1862, DeferredMessages: 335, FailedMessages: 472},
	} {
		if program, err := exec.LookPath("eximstats"); err == nil {
			theirs = eximstats(t, program, plainLog(t, "../../sample-logs/"+folder))
		}
		ours := sampleTotals(t, "../../sample-logs/"+folder)
		t.Logf("%s: %+v", folder, ours)
		ours.Deferrals, ours.Bounced = 0, 0 // eximstats counts messages only
		if ours != theirs {
			t.Errorf("%s: %+v; eximstats: %+v", folder, ours, theirs)
		}
	}
}

func eximstats(t *testing.T, program, log string) totals {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "-nr", "-ne", "-t0", log).Output()
	if err != nil {
		t.Fatal(err)
	}
	var n totals
	m := regexp.MustCompile(`Received +\d+KB +(\d+) +\d+ +(\d+) [\d.]+% +(\d+)[^\n]*\n  Delivered +\d+KB +\d+ +(\d+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("%s", out[:min(len(out), 800)])
	}
	for i, field := range []*int{&n.Received, &n.DeferredMessages, &n.FailedMessages, &n.Delivered} {
		fmt.Sscan(string(m[i+1]), field)
	}
	return n
}
