package ingest

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"repute/internal/source"
	"repute/internal/store"
)

// TestReusedInode removes a log and makes it anew, again and again: the file
// system gives the same inode, and each new log is read from its start.
func TestReusedInode(t *testing.T) {
	cab := newCabin(t)
	path := filepath.Join(cab.dir, "mail.log")
	same, last := 0, os.FileInfo(nil)
	const times, each = 100, 20
	for i := range times {
		cab.put("mail.log", []byte(mailLines(i*each, (i+1)*each)))
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && os.SameFile(last, info) {
			same++
		}
		last = info
		if got := cab.read("mail.log"); got != each {
			t.Errorf("log %d: %d new attempts, want %d", i, got, each)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d had the inode of the one before", same, times-1)
	cab.holds(times * each)
}

// TestSmallFiles lets a log grow by bytes and lines from nothing on: what is
// shorter than its head's 1 KiB is told again, too.
func TestSmallFiles(t *testing.T) {
	cab := newCabin(t)
	text := mailLines(0, 12)
	for at := 0; at <= len(text); at += 97 {
		cab.put("mail.log", []byte(text[:at]))
		if r, err := Run(context.Background(), []string{filepath.Join(cab.dir, "mail.log")}, cab.o); err != nil || r.Files[0].Err != nil && strings.Contains(text[:at], "\n") {
			t.Fatal(err, r.Files)
		}
	}
	cab.put("mail.log", []byte(text))
	cab.read("mail.log")
	cab.holds(12)
	cab.put("other.log", []byte(mailLine(0)+mailLine(20))) // begins alike
	if got := cab.read("other.log"); got != 1 {
		t.Errorf("%d new attempts in a log that begins alike, want 1", got)
	}
	cab.holds(13)
}

// TestOddText: what stands in a log and is no plain text takes nothing with it.
func TestOddText(t *testing.T) {
	odd := func(n int, from, to string) string { return strings.Replace(mailLine(n), from, to, 1) }
	lines := []string{
		"\xef\xbb\xbf" + mailLine(0), // a byte order mark
		strings.TrimSuffix(mailLine(1), "\n") + "\r\n",
		odd(2, "OK", "pas accept\xe9"), // Latin-1
		odd(3, "to=<u3@", "to=<ü3@"),   // SMTPUTF8
		odd(4, "to=<u4@", "to=<\xc3\x28@"),
		odd(5, "OK", "O\x00K"),
		odd(6, "OK", strings.Repeat("\x1b[31m", 20)),
		odd(7, "OK", "\u202egnirts\u2028"),
	}
	const others = 50
	cab := newCabin(t)
	hole := strings.Repeat("\x00", 4096) + "\n" // as a crash leaves it
	cab.put("mail.log", []byte(strings.Join(lines, "")+hole+mailLines(100, 100+others)+"\x00\x00"+mailLine(200)))
	got := cab.read("mail.log")
	if got < int64(len(lines)+others) {
		t.Errorf("%d attempts, want at least %d", got, len(lines)+others)
	}
	cab.holds(got)
}

// TestEndlessLine reads a line of 256 MiB without an end, and the next line.
func TestEndlessLine(t *testing.T) {
	o := options(t)
	const long = 256 << 20
	o.Stdin = io.MultiReader(strings.NewReader(mailLine(1)), io.LimitReader(letters{}, long), strings.NewReader("\n"+mailLine(2)))
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	report, err := Run(context.Background(), []string{source.Stdin}, o)
	if err != nil || report.Files[0].Err != nil {
		t.Fatal(err, report.Files)
	}
	runtime.ReadMemStats(&after)
	if c := report.Total(); c.Oversize != 1 || c.Attempts != 2 {
		t.Errorf("%+v", c)
	}
	if grown := int64(after.Sys) - int64(before.Sys); grown > 64<<20 {
		t.Errorf("%d MiB more memory", grown>>20)
	}
}

// letters are as many as are asked for.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestAnyOrder reads four files of messages that live longer than a file, in
// all 24 orders: the same attempts at the same hours, and the outcomes that
// the order of reading makes first differ in the retries only.
func TestAnyOrder(t *testing.T) {
	const messages, files = 400, 4
	var texts [files]strings.Builder
	at := func(file, n int) string { return fmt.Sprintf("%02d:%02d:%02d", 4*file+1, n/60%60, n%60) }
	for n := range messages {
		id := fmt.Sprintf("%010X", n+1<<20)
		line := func(file int, text string) {
			texts[file].WriteString(strings.ReplaceAll(text, "3F2A11C0D5", id))
		}
		file, relay := n%files, "mx.example.net[198.51.100.7]:25"
		to := fmt.Sprintf("u%d@example.net", n)
		if n%20 == 0 && file < files-1 { // deferred, and tried again in the next file
			line(file, attempt(at(file, n), to, relay, "4.7.1", "deferred (host mx.example.net[198.51.100.7] said: 450 4.7.1 later (in reply to RCPT TO command))"))
			file++
		}
		line(file, attempt(at(file, n), to, relay, "2.0.0", "sent (250 2.0.0 ok)"))
	}
	dir := t.TempDir()
	var paths []string
	for i := range texts {
		paths = append(paths, filepath.Join(dir, fmt.Sprintf("%d.log", i)))
		if err := os.WriteFile(paths[i], []byte(texts[i].String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	read := func(order []string) (attempts map[int64]uint32, first uint32) {
		s, err := store.Open(context.Background(), store.Memory, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		o := options(t)
		o.Store, o.Key = s, []byte("key")
		if _, err := Run(context.Background(), order, o); err != nil {
			t.Fatal(err)
		}
		attempts = map[int64]uint32{}
		for e, err := range s.Evidence(context.Background(), 0, 1<<40, false) {
			if err != nil {
				t.Fatal(err)
			}
			attempts[e.Hour] += e.Attempts
			first += e.First()
		}
		return attempts, first
	}
	want, first := read(paths)
	orders := 0
	permute(paths, func(order []string) {
		orders++
		if got, n := read(order); fmt.Sprint(got) != fmt.Sprint(want) || n != first {
			t.Errorf("%v: attempts %v, first outcomes %d; want %v, %d", order, got, n, want, first)
		}
	})
	if orders != 24 || first != messages {
		t.Errorf("%d orders, %d first outcomes", orders, first)
	}
}

// permute calls do with each order of a list.
func permute(list []string, do func([]string)) {
	var rec func(k int)
	rec = func(k int) {
		if k == len(list) {
			do(list)
			return
		}
		for i := k; i < len(list); i++ {
			list[k], list[i] = list[i], list[k]
			rec(k + 1)
			list[k], list[i] = list[i], list[k]
		}
	}
	rec(0)
}

// Lines without a year that come through a pipe are of the last twelve months.
func TestYearOfPipe(t *testing.T) {
	o := options(t)
	line := "Jan  5 10:00:00 mx1 postfix/smtp[2]: 3F2A11C0D5: to=<a@example.net>, relay=mx.example.net[198.51.100.8]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)\n"
	o.Stdin = strings.NewReader(line)
	report, err := Run(t.Context(), []string{source.Stdin}, o)
	if err != nil || report.Total().Attempts != 1 {
		t.Fatal(err, report.Files)
	}
	if at := time.UnixMicro(report.Total().LastAt); time.Since(at) < -24*time.Hour || time.Since(at) > 367*24*time.Hour {
		t.Errorf("%v", at)
	}
}
