package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"repute/internal/source"
	"repute/internal/store"
)

// TestModel does random things to a set of logs, reads them now and then,
// sometimes only until it is killed, and compares what is counted with a model
// that knows which lines there were. TestTortureModel does 10,000 lists.
func TestModel(t *testing.T) { runModel(t, 1, 40) }

func runModel(t *testing.T, seed uint64, lists int) {
	t.Helper()
	var s *store.Store
	for i := range lists {
		if i%50 == 0 { // an old one gets slow
			if s != nil {
				s.Close()
			}
			var err error
			if s, err = store.Open(context.Background(), store.Memory, store.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		w := &world{
			t: t, r: rand.New(rand.NewPCG(seed, uint64(i))), dir: filepath.Join(t.TempDir(), fmt.Sprint(i)), host: fmt.Sprintf("mx%d", i),
			o: options(t), atLeast: map[int]int{}, atMost: map[int]int{},
		}
		w.o.Store, w.o.Key = s, []byte("key")
		w.run()
		if t.Failed() {
			t.Fatalf("list %d of seed %d:\n%s", i, seed, strings.Join(w.done, "\n"))
		}
		if err := os.RemoveAll(w.dir); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}

// world is one host's logs, and the model: how often each line must and may
// have been counted. A line that was only there for a reading that was killed
// may have been counted or not.
type world struct {
	t               *testing.T
	r               *rand.Rand
	dir, host       string
	o               Options
	next            int
	done            []string
	atLeast, atMost map[int]int
}

func (w *world) check(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err, w.done)
	}
}

func (w *world) run() {
	w.check(os.Mkdir(w.dir, 0o700))
	w.grow()
	actions := []struct {
		weight int
		name   string
		do     func()
	}{
		{6, "grow", w.grow},
		{3, "rotate", w.rotate},
		{2, "compress", w.compress},
		{1, "copy and truncate", func() { w.copyTo("mail.log.0"); w.rotateAfterCopy() }},
		{1, "truncate", func() { w.check(os.Truncate(w.path("mail.log"), 0)) }},
		{1, "copy", func() { w.copyTo("copy") }},
		{1, "cut copy", w.cutCopy},
		{1, "put together", w.putTogether},
		{1, "delete the oldest", w.deleteOldest},
		{3, "read and kill", func() { w.read(true) }},
		{5, "read", func() { w.read(false) }},
	}
	total := 0
	for _, a := range actions {
		total += a.weight
	}
	for range 5 + w.r.IntN(12) {
		x := w.r.IntN(total)
		for _, a := range actions {
			if x -= a.weight; x < 0 {
				w.done = append(w.done, a.name)
				a.do()
				break
			}
		}
	}
	w.done = append(w.done, "read at last")
	w.read(false)
	w.compare()
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// grow adds lines; some come several times in one second.
func (w *world) grow() {
	var b strings.Builder
	for range 1 + w.r.IntN(60) {
		text := strings.Replace(mailLine(w.next), " mx1 ", " "+w.host+" ", 1)
		if w.r.IntN(12) == 0 {
			text = strings.Repeat(text, 2+w.r.IntN(4))
		}
		b.WriteString(text)
		if w.r.IntN(5) == 0 {
			fmt.Fprintf(&b, "2026-01-05T00:00:00Z %s cron[1]: %d\n", w.host, w.r.IntN(10))
		}
		w.next += 1 + w.r.IntN(2000)
	}
	f, err := os.OpenFile(w.path("mail.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	w.check(err)
	_, err = f.WriteString(b.String())
	w.check(errors.Join(err, f.Close()))
}

// rotate renames mail.log.n to n+1 and begins a new log.
func (w *world) rotate() {
	if _, err := os.Stat(w.path("mail.log")); err != nil {
		return
	}
	w.check(os.Rename(w.path("mail.log"), w.path("mail.log.0")))
	w.rotateAfterCopy()
}

func (w *world) rotateAfterCopy() {
	for i := 20; i >= 0; i-- {
		for _, ext := range []string{"", ".gz", ".zst", ".xz"} {
			err := os.Rename(w.path(fmt.Sprintf("mail.log.%d%s", i, ext)), w.path(fmt.Sprintf("mail.log.%d%s", i+1, ext)))
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				w.check(err)
			}
		}
	}
	w.check(os.WriteFile(w.path("mail.log"), nil, 0o600))
}

func (w *world) rotated() []string {
	var names []string
	for _, name := range source.Rotated(w.path("mail.log")) {
		names = append(names, filepath.Base(name))
	}
	return names
}

func (w *world) text(name string) []byte {
	s, err := source.Open(w.path(name), nil)
	w.check(err)
	defer s.Close()
	var b bytes.Buffer
	for {
		line, err := s.Next()
		if err != nil {
			return b.Bytes()
		}
		b.Write(line)
		b.WriteByte('\n')
	}
}

func (w *world) compress() {
	for _, name := range w.rotated() {
		if source.Compressed(name) || w.r.IntN(2) == 0 {
			continue
		}
		to := name + []string{".gz", ".zst", ".xz"}[w.r.IntN(3)]
		w.check(os.WriteFile(w.path(to), compressed(w.t, to, w.text(name)), 0o600))
		w.check(os.Remove(w.path(name)))
	}
}

func (w *world) copyTo(name string) {
	w.check(os.WriteFile(w.path(name), w.text("mail.log"), 0o600))
}

// cutCopy copies the log without its start.
func (w *world) cutCopy() {
	lines := bytes.SplitAfter(w.text("mail.log"), []byte("\n"))
	w.check(os.WriteFile(w.path("cut"), bytes.Join(lines[w.r.IntN(len(lines)):], nil), 0o600))
}

func (w *world) putTogether() {
	var all []byte
	for _, name := range w.rotated() {
		all = append(all, w.text(name)...)
	}
	w.check(os.WriteFile(w.path("together"), append(all, w.text("mail.log")...), 0o600))
}

func (w *world) deleteOldest() {
	if old := w.rotated(); len(old) > 0 {
		w.check(os.Remove(w.path(old[0])))
	}
}

// read ingests all files in any order, to the end or until it is killed.
func (w *world) read(kill bool) {
	entries, err := os.ReadDir(w.dir)
	w.check(err)
	var paths []string
	for _, e := range entries {
		text := w.text(e.Name())
		if len(text) == 0 {
			continue // nothing is recognised in it
		}
		paths = append(paths, w.path(e.Name()))
		w.know(text, kill)
	}
	w.r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
	o := w.o
	o.BatchLines = []int{1, 7, 40, 100, 1000, 1000, 1000, 1000}[w.r.IntN(8)]
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if kill {
		left := w.r.IntN(100)
		o.OnEvent = func(*Booked) error {
			if left--; left < 0 {
				cancel()
			}
			return nil
		}
	}
	report, err := Run(ctx, paths, o)
	if err != nil && !(kill && errors.Is(err, context.Canceled)) {
		w.t.Error(err)
	}
	for _, f := range report.Files {
		if f.Err != nil {
			// A file of other programs' lines only is not recognised.
			if !bytes.Contains(w.text(filepath.Base(f.Path)), []byte("to=<")) {
				continue
			}
			w.t.Error(f.Err)
		}
	}
}

// know takes a file into the model: as many of a line count as one file has.
func (w *world) know(text []byte, kill bool) {
	n := map[int]int{}
	for l := range bytes.Lines(text) {
		var id int
		if i := bytes.Index(l, []byte("to=<u")); i >= 0 {
			_, err := fmt.Sscanf(string(l[i:]), "to=<u%d@", &id)
			w.check(err)
			n[id]++
		}
	}
	for id, k := range n {
		w.atMost[id] = max(w.atMost[id], k)
		if !kill {
			w.atLeast[id] = max(w.atLeast[id], k)
		}
	}
}

func (w *world) compare() {
	ids := map[uint64]int{}
	for id := range w.atMost {
		ids[Hash(w.o.Key, fmt.Appendf(nil, "u%d@gmail.com", id))] = id
	}
	got := map[int]int{}
	for hour := int64(0); hour < 25*3600; hour += 3600 {
		known, err := w.o.Store.Likenesses(context.Background(), w.host, -1, 1767571200+hour)
		w.check(err)
		for l, n := range known {
			id, ok := ids[l.Recipient]
			if !ok {
				w.t.Error("a line is counted that never was")
			}
			got[id] += n
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.atMost)) {
		if got[id] < w.atLeast[id] || got[id] > w.atMost[id] {
			w.t.Errorf("line %d is counted %d times; it was there %d to %d times", id, got[id], w.atLeast[id], w.atMost[id])
		}
	}
}
