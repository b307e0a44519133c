package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"repute/delivery"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

func options(t testing.TB) Options {
	t.Helper()
	set, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	return Options{Formats: all.Formats(), Rules: set, Zone: time.UTC}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// classes reads a log and lists the classes of its first outcomes.
func classes(t *testing.T, log string) []string {
	t.Helper()
	var got []string
	o := options(t)
	o.OnEvent = func(b *Booked) error {
		if b.First {
			got = append(got, fmt.Sprintf("%s %s %s %s", b.Recipient, b.Receiver.ID, b.Class, b.Sender))
		}
		return nil
	}
	if _, err := Run(context.Background(), []string{write(t, log)}, o); err != nil {
		t.Fatal(err)
	}
	return got
}

const queued = "2026-01-05T10:00:00Z mx1 postfix/qmgr[1]: 3F2A11C0D5: from=<news@example.com>, size=10, nrcpt=2 (queue active)\n"

func attempt(at, rcpt, relay, dsn, status string) string {
	return "2026-01-05T" + at + "Z mx1 postfix/smtp[2]: 3F2A11C0D5: to=<" + rcpt + ">, relay=" + relay + ", delay=1, delays=1/0/0/0, dsn=" + dsn + ", status=" + status + "\n"
}

func TestFirstOutcomes(t *testing.T) {
	const gmail = "gmail-smtp-in.l.google.com[198.51.100.7]:25"
	const au1, au2 = "lsean.ezweb.ne.jp", "lsean2.ezweb.ne.jp"
	for _, c := range []struct {
		name, log string
		want      []string
	}{
		{
			"twenty retries are one observation",
			queued + strings.Repeat(attempt("10:00:01", "a@gmail.com", gmail, "4.7.28", "deferred (host gmail-smtp-in.l.google.com[198.51.100.7] said: 421 4.7.28 unusual rate of unsolicited mail originating from your IP (in reply to end of DATA command))"), 20),
			[]string{"a@gmail.com gmail defer_policy news@example.com"},
		},
		{
			"suspended delivery is no attempt",
			queued + "2026-01-05T10:00:01Z mx1 postfix/error[2]: 3F2A11C0D5: to=<a@gmail.com>, relay=none, delay=1, delays=1/0/0/0, dsn=4.7.0, status=deferred (delivery temporarily suspended: host gmail-smtp-in.l.google.com[198.51.100.7] refused to talk to me: 421 4.7.0 no)\n" +
				attempt("10:00:02", "a@gmail.com", gmail, "2.0.0", "sent (250 2.0.0 OK)"),
			[]string{"a@gmail.com gmail accepted news@example.com"},
		},
		{
			"a refusal by one MX and the lost connection to the next are one refusal",
			queued + "2026-01-05T10:00:01Z mx1 postfix/smtp[2]: 3F2A11C0D5: host mta5.am0.yahoodns.net[198.51.100.8] said: 421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred (in reply to MAIL FROM command)\n" +
				"2026-01-05T10:00:01Z mx1 postfix/smtp[2]: 3F2A11C0D5: lost connection with mta5.am0.yahoodns.net[198.51.100.8] while sending RCPT TO\n" +
				attempt("10:00:02", "a@yahoo.com", "mta6.am0.yahoodns.net[198.51.100.9]:25", "4.4.2", "deferred (lost connection with mta6.am0.yahoodns.net[198.51.100.9] while sending RCPT TO)"),
			[]string{"a@yahoo.com yahoo defer_policy news@example.com"},
		},
		{
			"au drops the connection as its block",
			queued + attempt("10:00:02", "a@au.com", au1+"[198.51.100.9]:25", "4.4.2", "deferred (lost connection with "+au1+"[198.51.100.9] while receiving the initial server greeting)"),
			[]string{"a@au.com au defer_policy news@example.com"},
		},
		{
			"a bounce message is nobody's evidence",
			"2026-01-05T10:00:00Z mx1 postfix/qmgr[1]: 3F2A11C0D5: from=<>, size=10, nrcpt=1 (queue active)\n" +
				attempt("10:00:02", "a@gmail.com", gmail, "2.0.0", "sent (250 2.0.0 OK)"),
			nil,
		},
		{
			"our log begins in the message's mid-life",
			"2026-01-05T10:00:02Z mx1 postfix/smtp[2]: 3F2A11C0D5: to=<a@gmail.com>, relay=" + gmail + ", delay=9000, delays=8999/1/0/0, dsn=2.0.0, status=sent (250 2.0.0 OK)\n",
			nil,
		},
		{
			"no relay named: the receiver that the domain's mail went to",
			queued + attempt("10:00:02", "a@corp.example", gmail, "2.0.0", "sent (250 2.0.0 OK)") +
				"2026-01-05T10:00:03Z mx1 postfix/smtp[2]: 3F2A11C0D5: to=<b@corp.example>, relay=none, delay=1, delays=1/0/0/0, dsn=4.4.1, status=deferred (connect to other.corp.example[198.51.100.99]:25: Connection timed out)\n",
			[]string{"a@corp.example gmail accepted news@example.com", "b@corp.example corp.example connection news@example.com"},
		},
		{
			"requeued by postsuper: one message, one first outcome",
			queued + attempt("10:00:01", "a@gmail.com", gmail, "4.2.0", "deferred (host gmail-smtp-in.l.google.com[198.51.100.7] said: 451 4.2.0 hmm (in reply to RCPT TO command))") +
				"2026-01-05T10:00:02Z mx1 postfix/pickup[2]: 77E3A11C0D: uid=100 from=<news@example.com> orig_id=3F2A11C0D5\n" +
				strings.ReplaceAll(attempt("10:00:03", "a@gmail.com", gmail, "2.0.0", "sent (250 2.0.0 OK)"), "3F2A11C0D5", "77E3A11C0D"),
			[]string{"a@gmail.com gmail defer_slow news@example.com"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := classes(t, c.log); !slices.Equal(got, c.want) {
				t.Errorf("first outcomes\n%q, want\n%q", got, c.want)
			}
		})
	}
}

// A generic deferral that is accepted at its first retry is corrected in the
// hour in which it was booked, also over a restart.
func TestQuickCorrection(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "r.duckdb"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := options(t)
	o.Store = s
	const relay = "mx.example.net[198.51.100.7]:25"
	first := queued + attempt("10:00:01", "a@example.net", relay, "4.2.0", "deferred (host mx.example.net[198.51.100.7] said: 451 4.2.0 hm (in reply to RCPT TO command))")
	path := write(t, first)
	for _, text := range []string{first, first + attempt("12:00:01", "a@example.net", relay, "2.0.0", "sent (250 ok)")} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(ctx, []string{path}, o); err != nil {
			t.Fatal(err)
		}
	}
	for e, err := range s.Evidence(ctx, 0, 1<<40, false) {
		if err != nil {
			t.Fatal(err)
		}
		if h := time.Unix(e.Hour, 0).UTC().Hour(); h == 10 && (e.DeferSlow != 0 || e.DeferQuick != 1) || h == 12 && e.First() != 0 {
			t.Errorf("hour %d: %+v", h, e.Counts)
		}
	}
}

// The same events whatever the batches are, and the lines add up.
func TestBatches(t *testing.T) {
	samples := []string{"../../sample-logs/exim-b", "../../sample-logs/postfix-b"}
	files, errs := source.Expand(samples)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var want store.Coverage
	var wantClasses map[delivery.Class]int
	for _, size := range []int{1, 7, 4096, 50000} {
		o := options(t)
		o.BatchLines = size
		classes := map[delivery.Class]int{}
		o.OnEvent = func(b *Booked) error {
			if b.First {
				classes[b.Class]++
			}
			return nil
		}
		r, err := Run(context.Background(), files, o)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Total()
		if got.Lines == 0 || got.NotUnderstood != 0 {
			t.Fatalf("%+v", got)
		}
		if size == 1 {
			want, wantClasses = got, classes
			continue
		}
		if got != want || fmt.Sprint(classes) != fmt.Sprint(wantClasses) {
			t.Errorf("batches of %d: %+v %v, want %+v %v", size, got, classes, want, wantClasses)
		}
	}
}

// What was read is not read again: the same name, another name, a copy cut
// and continued, a rename with a fresh file in its place.
func TestOnlyNew(t *testing.T) {
	ctx := context.Background()
	s, err := store.Open(ctx, filepath.Join(t.TempDir(), "r.duckdb"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := options(t)
	o.Store, o.BatchLines = s, 100
	dir := t.TempDir()
	line := func(i int) string {
		return fmt.Sprintf("2026-01-05T10:%02d:%02dZ mx1 postfix/smtp[2]: %010X: to=<a@gmail.com>, relay=gmail-smtp-in.l.google.com[198.51.100.7]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 OK)\n", i/60%60, i%60, i+1<<20)
	}
	text := func(from, to int) string {
		var b strings.Builder
		for i := from; i < to; i++ {
			b.WriteString(line(i))
		}
		return b.String()
	}
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, step := range []struct {
		name, file, text string
		want             int64
	}{
		{"first", "mail.log", text(0, 500), 500},
		{"again", "mail.log", text(0, 500), 0},
		{"grown, with a half line", "mail.log", text(0, 800) + line(800)[:40], 300},
		{"the half line is whole now", "mail.log", text(0, 801), 1},
		{"rotated", "mail.log.1", text(0, 900), 99},
		{"a fresh file under the old name", "mail.log", text(1000, 1100), 100},
		{"an older generation of the first under a third name", "old.log", text(0, 600), 0},
	} {
		t.Run(step.name, func(t *testing.T) {
			r, err := Run(ctx, []string{put(step.file, step.text)}, o)
			if err != nil || r.Files[0].Err != nil {
				t.Fatal(err, r.Files[0].Err)
			}
			if got := r.Total().Attempts; got != step.want {
				t.Errorf("%d new attempts, want %d", got, step.want)
			}
		})
	}
	info, err := s.Info(ctx)
	if err != nil || info.Attempts != 1000 {
		t.Errorf("%d attempts stored, %v; want 1000", info.Attempts, err)
	}
}

// No local part of an address is in the database, not of messages that are
// still open and not in replies that quote one.
func TestPrivate(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := options(t)
	o.Store, o.Key = s, []byte("key")
	log := "2026-01-05T10:00:00Z mx1 postfix/cleanup[1]: 3F2A11C0D5: message-id=<planted-id@example.com>\n" +
		strings.Replace(queued, "news@", "planted-sender@", 1) +
		"2026-01-05T10:00:01Z mx1 postfix/smtp[2]: 3F2A11C0D5: host mx.example.net[198.51.100.7] said: 450 4.2.1 <planted-trial@example.net>: hm (in reply to RCPT TO command)\n" +
		attempt("10:00:02", "planted-one@example.net", "mx.example.net[198.51.100.7]:25", "4.2.0", "deferred (host mx.example.net[198.51.100.7] said: 451 4.2.0 <planted-two@example.net>: hm (in reply to RCPT TO command))") +
		"2026-01-05T10:00:03Z mx1 postfix/smtp[2]: 3F2A11C0D5: host mx.example.net[198.51.100.7] said: 450 4.2.1 <planted-trial@example.net>: hm (in reply to RCPT TO command)\n"
	if _, err := Run(ctx, []string{write(t, log)}, o); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"in the write-ahead log", "after closing"} {
		for _, file := range []string{path, path + ".wal"} {
			text, err := os.ReadFile(file)
			if err == nil && strings.Contains(string(text), "planted-") {
				t.Errorf("%s, %s: an address can be read", filepath.Base(file), when)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
