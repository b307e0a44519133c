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
	"testing"

	"repute/internal/store"
)

// TestDamagedDatabase is TestTortureDamagedDatabase with few trials.
func TestDamagedDatabase(t *testing.T) { damageDatabase(t, 3) }

// wreck is a database as a kill leaves it: a part is in the log of changes.
type wreck struct {
	t       *testing.T
	log     string
	db, wal []byte
	after   []byte // the database after the next checkpoint
	lines   int64
	r       *rand.Rand
}

func newWreck(t *testing.T) *wreck {
	t.Helper()
	w := &wreck{t: t, lines: 3000, r: rand.New(rand.NewPCG(5, 6))}
	dir := t.TempDir()
	path := filepath.Join(dir, "r.duckdb")
	w.log = filepath.Join(dir, "mail.log")
	w.write(w.log, []byte(mailLines(0, 1500)))
	for _, keep := range []bool{false, true} { // a part is behind a checkpoint
		s, err := store.Open(context.Background(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.ingest(s)
		if keep {
			w.db, w.wal = w.read(path), w.read(path+".wal")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w.after = w.read(path)
		w.write(w.log, []byte(mailLines(0, int(w.lines))))
	}
	if len(w.wal) == 0 {
		t.Fatal("nothing is in the log of changes")
	}
	return w
}

func (w *wreck) ingest(s *store.Store) {
	w.t.Helper()
	o := options(w.t)
	o.Store, o.Key, o.BatchLines = s, []byte("key"), 100
	if _, err := Run(context.Background(), []string{w.log}, o); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wreck) write(path string, b []byte) {
	w.t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *wreck) read(path string) []byte {
	w.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// counted are the lines of the log that the database has, each with how often.
func counted(s *store.Store) (map[store.Likeness]int, error) {
	all := map[store.Likeness]int{}
	for hour := range int64(24) {
		known, err := s.Likenesses(context.Background(), "mx1", -1, 1767571200+hour*3600)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, known)
	}
	return all, nil
}

// The ends of a trial.
const (
	refused = "refused to open, and repaired"
	found   = "found by verify"
	whole   = "opened at a whole batch"
	silent  = "SILENT: wrong and not found"
)

// trial opens what was damaged, looks whether it tells lies, and reads the log
// again.
func (w *wreck) trial(db, wal []byte) string {
	w.t.Helper()
	ctx := context.Background()
	path := filepath.Join(w.t.TempDir(), "r.duckdb")
	w.write(path, db)
	if wal != nil {
		w.write(path+".wal", wal)
	}
	end := whole
	s, err := store.Open(ctx, path, store.Options{})
	if err == nil {
		var faults []string
		if faults, err = s.Verify(ctx); err == nil && len(faults) == 0 {
			info, err := s.Info(ctx)
			lines, err2 := counted(s)
			if err := errors.Join(err, err2); err != nil || info.Attempts != int64(len(lines)) || info.Attempts%100 != 0 {
				w.t.Logf("%d attempts, %d lines, %v", info.Attempts, len(lines), err)
				end = silent
			}
			w.finish(s)
			return end
		}
		end = found
		s.Close()
	} else {
		var damaged *store.DamagedError
		if !errors.As(err, &damaged) {
			w.t.Errorf("not called damaged: %v", err)
		}
		end = refused
	}
	if _, err := store.Repair(ctx, path, store.Options{}); err != nil {
		w.t.Errorf("repair: %v", err)
	}
	if s, err = store.Open(ctx, path, store.Options{}); err != nil {
		w.t.Errorf("after repair: %v", err)
		return end
	}
	w.finish(s)
	return end
}

// finish reads the rest of the log: now all is there, once.
func (w *wreck) finish(s *store.Store) {
	w.t.Helper()
	w.ingest(s)
	lines, err := counted(s)
	if faults, verr := s.Verify(context.Background()); err != nil || verr != nil || len(faults) > 0 || int64(len(lines)) != w.lines {
		w.t.Errorf("%d lines of %d; %v %v %q", len(lines), w.lines, err, verr, faults)
	}
	for _, n := range lines {
		if n != 1 {
			w.t.Errorf("a line is there %d times", n)
			break
		}
	}
	if err := s.Close(); err != nil {
		w.t.Error(err)
	}
}

// damageDatabase cuts, flips and blanks a database and its log of changes, and
// tells how each of the trials ended.
func damageDatabase(t *testing.T, trials int) {
	w := newWreck(t)
	flip := func(b []byte) []byte {
		b = bytes.Clone(b)
		b[w.r.IntN(len(b))] ^= 1 << w.r.IntN(8)
		return b
	}
	blank := func(b []byte) []byte {
		b = bytes.Clone(b)
		clear(b[w.r.IntN(len(b)/4096)*4096:][:4096])
		return b
	}
	for _, c := range []struct {
		name string
		do   func() (db, wal []byte)
	}{
		{"log of changes cut", func() (db, wal []byte) { return w.db, w.wal[:w.r.IntN(len(w.wal))] }},
		{"a bit of the log of changes", func() (db, wal []byte) { return w.db, flip(w.wal) }},
		{"log of changes gone", func() (db, wal []byte) { return w.db, nil }},
		{"database cut", func() (db, wal []byte) { return w.db[:1+w.r.IntN(len(w.db)-1)], w.wal }},
		{"a bit of the database", func() (db, wal []byte) { return flip(w.db), w.wal }},
		{"4 KiB of zeros in the database", func() (db, wal []byte) { return blank(w.db), w.wal }},
	} {
		t.Run(c.name, func(t *testing.T) {
			ends := map[string]int{}
			for range trials {
				trial := *w
				trial.t = t
				ends[trial.trial(c.do())]++
			}
			for _, end := range slices.Sorted(maps.Keys(ends)) {
				t.Logf("%s: %d of %d", end, ends[end], trials)
			}
			if ends[silent] > 0 {
				t.Fail()
			}
		})
	}
}

// TestRepairKeeps damages the last of many transactions in the log of changes:
// those before it are still there after a repair.
func TestRepairKeeps(t *testing.T) {
	w := newWreck(t)
	path := filepath.Join(t.TempDir(), "r.duckdb")
	wal := bytes.Clone(w.wal)
	wal[len(wal)-1000] ^= 1
	w.write(path, w.db)
	w.write(path+".wal", wal)
	if done, err := store.Repair(context.Background(), path, store.Options{}); err != nil || len(done) != 2 {
		t.Errorf("repair: %v, %q", err, done)
	}
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(context.Background())
	if err != nil || info.Lines < w.lines-200 || info.Lines >= w.lines {
		t.Errorf("%d lines of %d are there, %v", info.Lines, w.lines, err)
	}
	w.finish(s)
}

// TestMend lets the power fail while a checkpoint writes a block of the
// database anew: repaired, all is there. Where a bit of that block has turned
// nothing is mended.
func TestMend(t *testing.T) {
	w := newWreck(t)
	// The first block, behind the three headers, is of the kind in question.
	const at, size = 3 * 4096, 64 << 10
	if bytes.Equal(w.db[at:at+size], w.after[at:at+size]) {
		t.Fatal("the checkpoint leaves that block as it was")
	}
	repaired := func(db []byte) (done []string, path string) {
		t.Helper()
		path = filepath.Join(t.TempDir(), "r.duckdb")
		w.write(path, db)
		w.write(path+".wal", w.wal)
		var damaged *store.DamagedError
		if _, err := store.Open(context.Background(), path, store.Options{}); !errors.As(err, &damaged) {
			t.Errorf("it is not refused: %v", err)
		}
		done, err := store.Repair(context.Background(), path, store.Options{})
		if err != nil {
			t.Error(err)
		}
		return done, path
	}
	for range 5 {
		db := bytes.Clone(w.db)
		for s := at; s < at+size; s += 512 {
			if w.r.IntN(4) > 0 {
				copy(db[s:s+512], w.after[s:])
			}
		}
		_, path := repaired(db)
		s, err := store.Open(context.Background(), path, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := s.Info(context.Background()); err != nil || info.Lines != w.lines {
			t.Errorf("%d lines of %d are there, %v", info.Lines, w.lines, err)
		}
		w.finish(s)
	}
	for range 5 {
		db := bytes.Clone(w.db)
		db[at+8+w.r.IntN(size-8)] ^= 1 << w.r.IntN(8)
		if done, _ := repaired(db); len(done) != 3 {
			t.Errorf("a turned bit is mended: %q", done)
		}
	}
}

// TestForeignChanges: the log of changes of another database lies beside ours.
func TestForeignChanges(t *testing.T) {
	ours, other := newWreck(t), newWreck(t)
	path := filepath.Join(t.TempDir(), "r.duckdb")
	ours.write(path, ours.db)
	ours.write(path+".wal", other.wal)
	var damaged *store.DamagedError
	if _, err := store.Open(context.Background(), path, store.Options{}); !errors.As(err, &damaged) {
		t.Errorf("it is not refused: %v", err)
	}
	if !bytes.Equal(ours.read(path), ours.db) || !bytes.Equal(ours.read(path+".wal"), other.wal) {
		t.Error("something was changed")
	}
	done, err := store.Repair(context.Background(), path, store.Options{})
	if err != nil || len(done) == 0 {
		t.Errorf("repair: %v, %q", err, done)
	}
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ours.finish(s)
	fmt.Fprintln(t.Output(), done)
}
