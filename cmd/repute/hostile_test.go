package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// command runs repute and returns its exit status and what it printed.
func command(t *testing.T, args ...string) (status int, out string) {
	t.Helper()
	var b bytes.Buffer
	status = run(t.Context(), args, strings.NewReader(""), &b, &b)
	return status, b.String()
}

const hostileLine = "2026-01-05T10:00:5%d%s postfix/smtp[558]: AB00000%[1]d: to=<b@gmail.com>, relay=mx.gmail.com[198.51.100.7]:25, delay=2.1, delays=1/0/0/0, dsn=5.7.1, status=bounced (host mx.gmail.com[198.51.100.7] said: 550 5.7.1 Refus%[3]s par politique)\n"

// TestOtherEncodings: a reply that is no UTF-8 is kept, and the database can be
// read and added to afterwards.
func TestOtherEncodings(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "r.duckdb")
	long := strings.Repeat("é", 3000) // is cut in the midst of a letter
	for i, reply := range []string{"\xe9", "\x83\x81\x81[\x83\x8b", "x" + long, "fine"} {
		log := filepath.Join(dir, fmt.Sprintf("%d.log", i))
		lost := "2026-01-05T10:00:59Z mx1 postfix/smtp[558]: AB0000F1: to=<b@gmail.com>, relay=x, status=so\xe9\n" // is not understood
		if err := os.WriteFile(log, append(fmt.Appendf(nil, hostileLine, i, "Z mx1", reply), lost...), 0o600); err != nil {
			t.Fatal(err)
		}
		if status, out := command(t, "ingest", "--db", db, log); status != exitOK {
			t.Fatalf("reply %d: exit status %d: %s", i, status, out)
		}
	}
	for _, args := range [][]string{{"rules", "gaps", "-n", "9"}, {"rules", "apply"}, {"verify"}, {"trace", "AB000000"}, {"doctor"}} {
		if status, out := command(t, append(args, "--db", db)...); status != exitOK {
			t.Errorf("%q: exit status %d: %s", args, status, out)
		}
	}
}

// TestNamesOfTheLog: a host's name reaches the terminal without its escapes.
func TestNamesOfTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "d.log")
	if err := os.WriteFile(log, fmt.Appendf(nil, hostileLine, 1, "Z mx\x1b[31m", "e"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, out := command(t, "doctor", log); strings.Contains(out, "\x1b") || !strings.Contains(out, "master.cf") {
		t.Errorf("%q", out)
	}
}

// TestOutIsNoFile: what is no file is written to, not replaced; of a link, what
// it points at.
func TestOutIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe, target, link := filepath.Join(dir, "pipe"), filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		text, _ := os.ReadFile(pipe)
		got <- string(text)
	}()
	if err := writeFile(pipe, []byte("page")); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != "page" {
		t.Errorf("through the pipe came %q", text)
	}
	if err := os.WriteFile(target, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("target", link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(target); string(text) != "new" {
		t.Errorf("the link's target holds %q", text)
	}
}

// TestPeriodBeyondTheEvidence: nobody gets a page of eight thousand years.
func TestPeriodBeyondTheEvidence(t *testing.T) {
	dir := t.TempDir()
	db, page := filepath.Join(dir, "r.duckdb"), filepath.Join(dir, "r.html")
	if status, out := command(t, "ingest", "--db", db, "--config", "../../sample-logs/repute.toml", "../../sample-logs/postfix-b"); status != exitOK {
		t.Fatalf("exit status %d: %s", status, out)
	}
	for _, period := range [][]string{{"0001-01-01", "9999-12-31"}, {"1900-01-01", "2026-01-10"}, {"2026-01-01", "2400-01-01"}, {"2100-01-01", "9000-01-01"}} {
		status, out := command(t, "report", "--db", db, "--out", page, "--since", period[0], "--until", period[1])
		info, err := os.Stat(page)
		if status != exitOK && status != exitNothing || status == exitOK && (err != nil || info.Size() > 3<<20) {
			t.Errorf("%v: exit status %d: %s", period, status, out)
		}
	}
}

// TestDamagedBlocks: a database that opens and can't be read is found by
// verify, put aside by repair, and made again from the logs.
func TestDamagedBlocks(t *testing.T) {
	db := filepath.Join(t.TempDir(), "r.duckdb")
	ingest := []string{"ingest", "--db", db, "--config", "../../sample-logs/repute.toml", "../../sample-logs/postfix-b"}
	if status, out := command(t, ingest...); status != exitOK {
		t.Fatalf("exit status %d: %s", status, out)
	}
	f, err := os.OpenFile(db, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	const headers, block = 3 * 4096, 256 << 10
	for at := int64(headers + block + 1000); at < info.Size(); at += block { // the first block lists the tables
		if _, err := f.WriteAt([]byte("nobody wrote this"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if status, out := command(t, "verify", "--db", db); status != exitIO {
		t.Errorf("verify: exit status %d: %s", status, out)
	}
	if status, out := command(t, "repair", "--db", db); status != exitOK || !strings.Contains(out, "put aside") {
		t.Errorf("repair: exit status %d: %s", status, out)
	}
	if status, out := command(t, ingest...); status != exitOK {
		t.Errorf("ingest after repair: exit status %d: %s", status, out)
	}
	if status, out := command(t, "verify", "--db", db); status != exitOK {
		t.Errorf("verify after repair: exit status %d: %s", status, out)
	}
	if status, out := command(t, "repair", "--db", filepath.Dir(db)); status == exitOK {
		t.Errorf("repair of a folder: %s", out)
	}
}
