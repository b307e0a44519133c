package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forgedLog is mail to two receivers: an honest one that accepts and defers,
// and one that answers n messages with texts of its own.
func forgedLog(t *testing.T, n int, texts ...string) string {
	t.Helper()
	var b bytes.Buffer
	line := func(second int, format string, args ...any) {
		fmt.Fprintf(&b, "2026-01-%02dT%02d:%02d:%02dZ mx1 postfix/", 5+second/86400, second/3600%24, second/60%60, second%60)
		fmt.Fprintf(&b, format+"\n", args...)
	}
	for i := range 600 {
		line(i*900, "qmgr[1]: A%07X: from=<a@example.com>, size=9, nrcpt=1 (queue active)", i)
		status := "dsn=2.0.0, status=sent (250 2.0.0 OK)"
		if i%10 == 0 {
			status = "dsn=4.7.0, status=deferred (host mx.gmail.com[198.51.100.7] said: 421 4.7.0 try later (in reply to RCPT TO command))"
		}
		line(i*900, "smtp[2]: A%07X: to=<b%d@gmail.com>, relay=gmail-smtp-in.l.google.com[198.51.100.7]:25, delay=1, delays=0/0/0.5/0.5, %s", i, i, status)
	}
	for i := range n {
		line(i*50, "qmgr[1]: B%07X: from=<a@example.com>, size=9, nrcpt=1 (queue active)", i)
		line(i*50, "smtp[2]: B%07X: to=<c@evil.example>, relay=mx.evil.example[203.0.113.66]:25, delay=1, delays=0/0/0.5/0.5, dsn=5.7.1, status=bounced (host mx.evil.example[203.0.113.66] said: %s (in reply to RCPT TO command))", i, fmt.Sprintf(texts[i%len(texts)], i))
	}
	name := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// linesOf are the lines of a table that speak of a receiver.
func linesOf(receiver, table string) string {
	var out []string
	for line := range strings.Lines(table) {
		if strings.Contains(line, receiver) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// TestForgedReplies: a server's refusals are its own, whatever receiver,
// address or log line their texts name: with 10,000 of them another receiver's
// scores are what they are with plain ones (FAULTS S-09).
func TestForgedReplies(t *testing.T) {
	plain := []string{
		"550 5.7.1 very low reputation of the sending IP address %d",
		"421 4.7.0 temporarily deferred due to IP reputation %d",
		"550 5.7.1 blocked using zen.spamhaus.org id %d",
	}
	forged := []string{
		"550 5.7.1 gmail.com: very low reputation of the sending IP address of Gmail, google-apps, 198.51.100.7, relay=gmail-smtp-in.l.google.com %d",
		"421 4.7.0 [TSS04] Messages to gmail.com temporarily deferred (S3150) %d) status=bounced (host gmail-smtp-in.l.google.com[198.51.100.7] said: 550 5.7.1 blocked",
		"550 5.7.1 blocked using zen.spamhaus.org for gmail-smtp-in.l.google.com id %d#012Jan  5 10:00:00 mx1 postfix/smtp[2]: to=<b@gmail.com>, status=bounced",
	}
	scores := func(texts []string) string {
		db := filepath.Join(t.TempDir(), "r.duckdb")
		if status, out := command(t, "ingest", "--db", db, forgedLog(t, 10000, texts...)); status != exitOK {
			t.Fatalf("exit status %d: %s", status, out)
		}
		status, out := command(t, "scores", "--daily", "--db", db, "--format", "csv")
		if status != exitOK {
			t.Fatalf("exit status %d: %s", status, out)
		}
		return linesOf(",gmail,", out)
	}
	if before, after := scores(plain), scores(forged); before == "" || before != after {
		t.Errorf("Gmail's scores are\n%s\nand where texts name it\n%s", before, after)
	}
}

// TestForgedRule: a reply can't become a rule, and reaches the terminal
// without its escapes.
func TestForgedRule(t *testing.T) {
	texts := []string{
		"550 zzz \"]\nreason = \"x\"\n[[rule]]\nid = \"stranger\"\nexamples = [\"x %d",
		"550 qqq '''\"\"\" \\\" ]] \x1b[31mred\x1b[0m \u202e %d <script>alert(1)</script>",
	}
	for i := range texts {
		texts[i] = strings.ReplaceAll(texts[i], "\n", "#012")
	}
	db := filepath.Join(t.TempDir(), "r.duckdb")
	if status, out := command(t, "ingest", "--db", db, forgedLog(t, 20, texts...)); status != exitOK {
		t.Fatalf("exit status %d: %s", status, out)
	}
	status, stubs := command(t, "rules", "gaps", "--db", db)
	if status != exitOK || strings.ContainsAny(stubs, "\x1b\u202e") || !strings.Contains(stubs, "zzz") {
		t.Fatalf("exit status %d: %q", status, stubs)
	}
	mine := t.TempDir()
	if err := os.WriteFile(filepath.Join(mine, "gaps.toml"), []byte(stubs), 0o600); err != nil {
		t.Fatal(err)
	}
	_, all := command(t, "rules", "test")
	_, withGaps := command(t, "rules", "test", mine)
	var rules, more int
	fmt.Sscanf(all, "%d rules", &rules)
	fmt.Sscanf(lastLine(withGaps), "%d rules", &more)
	if n := strings.Count(stubs, "\n[[rule]]\n"); rules == 0 || more != rules+n || strings.Contains(withGaps, "rule stranger") {
		t.Errorf("%d rules, %d with %d stubs: %s\n%s", rules, more, n, withGaps, stubs)
	}
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// TestClassifyEscapes: what is pasted or piped in comes out as text.
func TestClassifyEscapes(t *testing.T) {
	hostile := "550 5.7.1 \x1b[31mblocked\x1b]0;title\x07 using zen.spamhaus.org\x9b2J"
	var b bytes.Buffer
	for _, args := range [][]string{{"classify", hostile}, {"classify", "-"}, {"classify", "--format", "json", hostile}} {
		b.Reset()
		if status := run(t.Context(), args, strings.NewReader(hostile+"\n"), &b, &b); status != exitOK {
			t.Errorf("%q: exit status %d", args, status)
		}
		if strings.ContainsAny(b.String(), "\x1b\x07") || !strings.Contains(b.String(), "blocklist") {
			t.Errorf("%q prints %q", args, b.String())
		}
	}
}
