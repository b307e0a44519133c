package ingest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"repute/internal/store"
)

// mailLine is attempt n of host mx1, seven a second.
func mailLine(n int) string {
	return fmt.Sprintf("2026-01-05T%02d:%02d:%02dZ mx1 postfix/smtp[2]: %010X: to=<u%d@gmail.com>, relay=gmail-smtp-in.l.google.com[198.51.100.7]:25, delay=1, delays=0.9/0/0/0.1, dsn=2.0.0, status=sent (250 2.0.0 OK %d)\n",
		n/7/3600%24, n/7/60%60, n/7%60, n+1<<20, n, n)
}

func mailLines(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(mailLine(i))
	}
	return b.String()
}

// otherLines puts lines of other programs between.
func otherLines(text string) string {
	return strings.ReplaceAll(text, "\n2026", "\n2026-01-05T10:00:00Z mx1 kernel: something else\n2026")
}

// cabin is a store and a folder of logs.
type cabin struct {
	t   *testing.T
	dir string
	s   *store.Store
	o   Options
}

func newCabin(t *testing.T) *cabin {
	t.Helper()
	s, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "r.duckdb"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	o := options(t)
	o.Store, o.Key, o.BatchLines = s, []byte("key"), 200
	return &cabin{t, t.TempDir(), s, o}
}

func (c *cabin) put(name string, text []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, name), text, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// read ingests files and returns how many attempts are new.
func (c *cabin) read(names ...string) int64 {
	c.t.Helper()
	var paths []string
	for _, n := range names {
		paths = append(paths, filepath.Join(c.dir, n))
	}
	r, err := Run(context.Background(), paths, c.o)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range r.Files {
		if f.Err != nil {
			c.t.Error(f.Err)
		}
	}
	return r.Total().Attempts
}

// holds checks how many attempts are stored: as events, in the coverage, in
// both rollups; and that the store verifies.
func (c *cabin) holds(want int64) {
	c.t.Helper()
	ctx := context.Background()
	info, err := c.s.Info(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	hours, days := int64(0), int64(0)
	for _, byDomain := range []bool{false, true} {
		for e, err := range c.s.Evidence(ctx, 0, 1<<40, byDomain) {
			if err != nil {
				c.t.Fatal(err)
			}
			if byDomain {
				days += int64(e.Attempts)
			} else {
				hours += int64(e.Attempts)
			}
		}
	}
	if info.Attempts != want || hours != want || days != want {
		c.t.Errorf("%d attempts, %d in the hours, %d in the days; want %d", info.Attempts, hours, days, want)
	}
	faults, err := c.s.Verify(ctx)
	if err != nil || len(faults) > 0 {
		c.t.Errorf("the store does not verify: %v %q", err, faults)
	}
}

func TestOverlap(t *testing.T) {
	five := strings.Repeat(mailLine(5000), 5)
	for _, c := range []struct {
		name  string
		files []string // read in turn
		want  []int64
	}{
		{"mail.log, then the syslog that holds it", []string{mailLines(0, 900), otherLines("\n" + mailLines(0, 1000))}, []int64{900, 100}},
		{"syslog first", []string{otherLines("\n" + mailLines(0, 1000)), mailLines(0, 900)}, []int64{1000, 0}},
		{"a copy whose start is cut off, that goes on", []string{mailLines(0, 900), mailLines(700, 1000)}, []int64{900, 100}},
		{"an older copy that is cut shorter", []string{mailLines(0, 900), mailLines(0, 600)}, []int64{900, 0}},
		{"put together by hand", []string{mailLines(0, 300), mailLines(300, 600), mailLines(0, 700)}, []int64{300, 300, 100}},
		{"put together in the wrong order", []string{mailLines(0, 300), mailLines(300, 600), mailLines(300, 600) + mailLines(0, 300)}, []int64{300, 300, 0}},
		{"pieces after the whole", []string{mailLines(0, 900), mailLines(100, 300), mailLines(800, 950), mailLines(850, 1000)}, []int64{900, 0, 50, 50}},
		{"five alike in one second", []string{five}, []int64{5}},
		{"five alike, again elsewhere", []string{mailLines(4990, 5000) + five, otherLines("\n" + five)}, []int64{15, 0}},
		{"five alike, cut in the middle", []string{mailLines(4990, 5000) + five, strings.Repeat(mailLine(5000), 3) + mailLines(5001, 5010)}, []int64{15, 9}},
		{"fewer before, more now", []string{mailLines(4990, 5000) + strings.Repeat(mailLine(5000), 2), five}, []int64{12, 3}},
		{"another host's lines of the same time", []string{mailLines(0, 500), strings.ReplaceAll(mailLines(0, 500), " mx1 ", " mx2 ")}, []int64{500, 500}},
		{"equal heads, then different", []string{mailLines(0, 50) + mailLines(100, 300), mailLines(0, 50) + mailLines(400, 450)}, []int64{250, 50}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cab := newCabin(t)
			total := int64(0)
			for i, text := range c.files {
				name := fmt.Sprintf("file%d.log", i)
				cab.put(name, []byte(strings.TrimPrefix(text, "\n")))
				if got := cab.read(name); got != c.want[i] {
					t.Errorf("file %d: %d new attempts, want %d", i, got, c.want[i])
				}
				total += c.want[i]
			}
			cab.holds(total)
			for i := range c.files { // once more, each
				if got := cab.read(fmt.Sprintf("file%d.log", i)); got != 0 {
					t.Errorf("file %d, read again: %d new attempts", i, got)
				}
			}
			cab.holds(total)
		})
	}
}

func compressed(t *testing.T, name string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	switch filepath.Ext(name) {
	case ".gz":
		w := gzip.NewWriter(&b)
		w.Write(text)
		w.Close()
	case ".zst":
		w, err := zstd.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		w.Close()
	case ".xz":
		w, err := xz.NewWriter(&b)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(text)
		w.Close()
	case ".bz2":
		c := exec.Command("bzip2", "-c")
		c.Stdin = bytes.NewReader(text)
		out, err := c.Output()
		if err != nil {
			t.Fatalf("bzip2: %v", err) // make needs installs it
		}
		b.Write(out)
	default:
		return text
	}
	return b.Bytes()
}

// TestRotationStages reads one set of files at every stage of its rotation:
// .log → .1 → .2.gz → .3.xz and so on, while lines are added.
func TestRotationStages(t *testing.T) {
	cab := newCabin(t)
	stages := []string{"mail.log", "mail.log.1", "mail.log.2.gz", "mail.log.3.xz", "mail.log.4.zst", "mail.log.5.bz2"}
	const each = 120
	for now := range 9 { // generation g is at stage now−g
		for g := max(0, now-len(stages)+1); g <= now; g++ {
			text := []byte(mailLines(g*each, (g+1)*each))
			name := stages[now-g]
			cab.put(name, compressed(t, name, text))
		}
		half := now*each + each/2 // the current log is read half grown, then whole
		whole, err := os.ReadFile(filepath.Join(cab.dir, "mail.log"))
		if err != nil {
			t.Fatal(err)
		}
		cab.put("mail.log", []byte(mailLines(now*each, half)))
		var names []string
		for i := min(now, len(stages)-1); i >= 0; i-- {
			names = append(names, stages[i])
		}
		want := int64(each / 2)
		if now > 0 && now%2 == 0 {
			want = each // the rest of the one before, too
		}
		if got := cab.read(names...); got != want {
			t.Errorf("stage %d, half grown: %d new attempts, want %d", now, got, want)
		}
		cab.put("mail.log", whole)
		if now%2 == 1 {
			continue // rotated before the rest was read
		}
		if got := cab.read(names...); got != each/2 {
			t.Errorf("stage %d: %d new attempts, want %d", now, got, each/2)
		}
	}
	cab.read(stages...)
	cab.holds(9 * each)
}

// TestIdentity: which file is which.
func TestIdentity(t *testing.T) {
	path := func(c *cabin, name string) string { return filepath.Join(c.dir, name) }
	check := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		do   func(t *testing.T, c *cabin)
		read []string
		want int64
	}{
		{"again", func(*testing.T, *cabin) {}, []string{"mail.log"}, 0},
		{"renamed", func(t *testing.T, c *cabin) { check(t, os.Rename(path(c, "mail.log"), path(c, "other"))) }, []string{"other"}, 0},
		{"symbolic link", func(t *testing.T, c *cabin) { check(t, os.Symlink(path(c, "mail.log"), path(c, "link"))) }, []string{"link", "mail.log"}, 0},
		{"hard link", func(t *testing.T, c *cabin) { check(t, os.Link(path(c, "mail.log"), path(c, "link"))) }, []string{"link", "mail.log"}, 0},
		{"copy", func(_ *testing.T, c *cabin) { c.put("copy", []byte(mailLines(0, 500))) }, []string{"copy"}, 0},
		{"copy that went on", func(_ *testing.T, c *cabin) { c.put("copy", []byte(mailLines(0, 510))) }, []string{"copy", "mail.log"}, 10},
		{"the inode is another file's now", func(t *testing.T, c *cabin) {
			f, err := os.OpenFile(path(c, "mail.log"), os.O_WRONLY|os.O_TRUNC, 0)
			check(t, err)
			_, err = f.WriteString(mailLines(1000, 1600))
			check(t, err)
			check(t, f.Close())
		}, []string{"mail.log"}, 600},
		{"truncated, shorter", func(_ *testing.T, c *cabin) { c.put("mail.log", []byte(mailLines(500, 510))) }, []string{"mail.log"}, 10},
		{"truncated, then grown to the same length", func(t *testing.T, c *cabin) {
			text := strings.ReplaceAll(mailLines(0, 500), "T00:", "T09:")
			c.put("mail.log", []byte(text))
		}, []string{"mail.log"}, 500},
		{"equal heads of 64 KiB, shorter", func(_ *testing.T, c *cabin) { c.put("b.log", []byte(mailLines(0, 400)+mailLines(2000, 2010))) }, []string{"b.log"}, 10},
		{"equal heads of 64 KiB, longer", func(_ *testing.T, c *cabin) { c.put("b.log", []byte(mailLines(0, 400)+mailLines(2000, 2200))) }, []string{"b.log"}, 200},
		{"no end to the last line", func(_ *testing.T, c *cabin) { c.put("mail.log", []byte(mailLines(0, 501)+mailLine(501)[:50])) }, []string{"mail.log"}, 1},
		{"an empty file", func(_ *testing.T, c *cabin) { c.put("mail.log", []byte(mailLines(0, 501))); c.put("e.log", nil) }, []string{"mail.log"}, 1},
		{"one line, equal to the first of another", func(_ *testing.T, c *cabin) { c.put("one.log", []byte(mailLine(0))) }, []string{"one.log"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			cab := newCabin(t)
			cab.put("mail.log", []byte(mailLines(0, 500)))
			if got := cab.read("mail.log"); got != 500 {
				t.Fatalf("%d attempts at first", got)
			}
			c.do(t, cab)
			if got := cab.read(c.read...); got != c.want {
				t.Errorf("%d new attempts, want %d", got, c.want)
			}
			cab.holds(500 + c.want)
			cab.read(c.read...)
			cab.holds(500 + c.want)
		})
	}
}
