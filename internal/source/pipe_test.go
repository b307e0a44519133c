package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// drain reads on until nothing came for a while or n lines did.
func drain(t *testing.T, next func() ([]byte, error), n int) (lines []string) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); len(lines) < n && time.Now().Before(until); {
		line, err := next()
		if errors.Is(err, io.EOF) {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil && !errors.Is(err, ErrTooLong) {
			t.Fatal(err)
		}
		lines = append(lines, string(line[:min(len(line), 10)]))
	}
	if len(lines) != n {
		t.Fatalf("%d lines, want %d", len(lines), n)
	}
	return lines
}

func TestPipe(t *testing.T) {
	r, w := io.Pipe()
	failed := errors.New("failed")
	p := NewPipe(r, func() error { return failed })
	go func() {
		for i := range 5000 {
			fmt.Fprintf(w, "line %d\n", i)
		}
		fmt.Fprintf(w, "%s\nlast\nhal", strings.Repeat("x", 300<<10))
		w.Close()
	}()
	first := drain(t, p.Next, 3000)
	p.Keep()
	offset, line, tail := p.Offset(), p.Line(), p.TailHash()
	rest := drain(t, p.Next, 2002)
	p.Rewind()
	if p.Offset() != offset || p.Line() != line || p.TailHash() != tail {
		t.Errorf("rewound to %d, line %d; it was %d, line %d", p.Offset(), p.Line(), offset, line)
	}
	again := drain(t, p.Next, 2002)
	if first[2999] != "line 2999" || rest[0] != "line 3000" || rest[2000] != "xxxxxxxxxx" || strings.Join(rest, " ") != strings.Join(again, " ") {
		t.Errorf("%q %q %q", first[2999], rest[0], rest[2000])
	}
	<-p.in.finished
	if ended, err := p.Ended(); !ended || !errors.Is(err, failed) || p.Half() != 3 {
		t.Errorf("ended %v, %v, with half a line of %d", ended, err, p.Half())
	}
}

// journalctl is a stand-in that shows the lines of the file "journal" beside
// it.
const journalctl = `#!/bin/sh
j=$(dirname "$0")/journal
n=1
for a; do case $a in --cursor=*) n=$(grep -nF "\"${a#--cursor=}\"" "$j" | cut -d: -f1);; esac; done
echo "$*" >>"$j.args"
exec tail -n "+${n:-1}" -f "$j"
`

func entry(n int) string {
	return fmt.Sprintf(`{"__CURSOR":"s=1;i=%d","__REALTIME_TIMESTAMP":"1767574800000000","MESSAGE":"\"__CURSOR\":\"s=9\" %d"}`+"\n", n, n)
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	write := func(name, text string, mode os.FileMode) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write("journalctl", journalctl, 0o700)
	write("journal", entry(1)+entry(2), 0o600)
	j, err := OpenJournal(t.Context(), "journald:postfix@-", "", 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	drain(t, j.Next, 2)
	cursor := j.Cursor()
	j.Close()
	if cursor != "s=1;i=2" {
		t.Errorf("cursor %q", cursor)
	}
	write("journal", entry(1)+entry(2)+entry(3)+"not JSON\n", 0o600)
	if j, err = OpenJournal(t.Context(), "journald:postfix@-", cursor, 100, 2); err != nil {
		t.Fatal(err)
	}
	drain(t, j.Next, 2)
	j.Close()
	if j.Line() != 4 || j.Cursor() != "s=1;i=3" || j.Gap() {
		t.Errorf("resumed to line %d, %q, gap %v", j.Line(), j.Cursor(), j.Gap())
	}
	write("journal", entry(5), 0o600) // what it was read to has been vacuumed
	if j, err = OpenJournal(t.Context(), "journald:postfix@-", cursor, 100, 2); err != nil {
		t.Fatal(err)
	}
	drain(t, j.Next, 1)
	j.Close()
	if j.Line() != 3 || !j.Gap() {
		t.Errorf("after a gap: line %d, gap %v", j.Line(), j.Gap())
	}
	args, err := os.ReadFile(filepath.Join(dir, "journal.args"))
	if err != nil || !strings.Contains(string(args), "--unit=postfix@- --cursor=s=1;i=2\n") {
		t.Errorf("%v: %s", err, args)
	}
	write("journalctl", "#!/bin/sh\necho no journal here >&2\nexit 1\n", 0o700)
	if j, err = OpenJournal(t.Context(), "journald:", "", 0, 0); err != nil {
		t.Fatal(err)
	}
	<-j.in.finished
	if ended, err := j.Ended(); !ended || err == nil || err.Error() != "journalctl: exit status 1: no journal here" {
		t.Errorf("%v %v", ended, err)
	}
	j.Close()
}
