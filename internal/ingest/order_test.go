package ingest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"repute/internal/source"
	"repute/internal/store"
)

func TestOldestFirst(t *testing.T) {
	dir := t.TempDir()
	modified := time.Date(2026, 1, 20, 0, 0, 0, 0, time.UTC)
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	put("cut.log", "2026-01-05T11:00:00Z mx1 postfix/smtp[2]: a\n")
	put("exim.log", "2026-01-04 09:00:00 [7] 1abcde-000001-AB Completed\n")
	put("json.log", "{\"ts\":1767571200}\n")
	put("mail.log", "2026-01-06T00:00:00Z mx1 postfix/smtp[2]: a\n") // later than cut.log, but the set is not
	put("mail.log.1", "half a line\n2026-01-05T10:00:00Z mx1 postfix/smtp[2]: a\n")
	put("new-year.log", "<22>Dec 31 10:00:00 mx1 postfix/smtp[2]: a\n")
	put("same.log", "2026-01-05T11:00:00Z mx1 postfix/smtp[2]: a\n")
	put("zone.log", "2026-01-05T12:30:00+02:00 mx1 postfix/smtp[2]: a\n")
	files, errs := source.Expand([]string{dir, source.Stdin})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, f := range OldestFirst(files, options(t)) {
		got = append(got, filepath.Base(f))
	}
	want := []string{"-", "json.log", "new-year.log", "exim.log", "mail.log.1", "mail.log", "zone.log", "cut.log", "same.log"}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%v, want\n%v", got, want)
	}
}

// TestCutCopyFirst reads a whole log and a copy of its second half whose name
// comes first: in the order of names the retry in the copy would count as the
// message's first outcome.
func TestCutCopyFirst(t *testing.T) {
	const relay, to = "mx.example.net[198.51.100.7]:25", "u@example.net"
	before := attempt("10:00:00", to, relay, "4.7.1", "deferred (host mx.example.net[198.51.100.7] said: 450 4.7.1 Service unavailable (in reply to RCPT TO command))")
	after := attempt("11:30:00", to, relay, "2.0.0", "sent (250 2.0.0 ok)")
	dir := t.TempDir()
	for name, text := range map[string]string{"copy.log": after, "mail.log": before + after} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, errs := source.Expand([]string{dir})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	if names := firstOutcomes(t, files); names != "11h" {
		t.Errorf("in the order of names the first outcome is at %s: this test shows nothing", names)
	}
	if whole := firstOutcomes(t, OldestFirst(files, options(t))); whole != "10h" {
		t.Errorf("the first outcome is at %s, want 10h", whole)
	}
}

// firstOutcomes names the hours that have one.
func firstOutcomes(t *testing.T, files []string) string {
	t.Helper()
	s, err := store.Open(context.Background(), store.Memory, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	o := options(t)
	o.Store, o.Key = s, []byte("key")
	if _, err := Run(context.Background(), files, o); err != nil {
		t.Fatal(err)
	}
	var hours []string
	for e, err := range s.Evidence(context.Background(), 0, 1<<40, false) {
		if err != nil {
			t.Fatal(err)
		}
		if e.First() > 0 {
			hours = append(hours, time.Unix(e.Hour, 0).UTC().Format("15h"))
		}
	}
	return strings.Join(hours, " ")
}
