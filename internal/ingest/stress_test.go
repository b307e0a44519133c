//go:build torture

package ingest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"repute/internal/source"
)

// TestTortureModel is TestModel with REPUTE_LISTS lists of actions, 10,000
// unless it says otherwise; REPUTE_SEED tells which.
func TestTortureModel(t *testing.T) {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	runModel(t, uint64(number("REPUTE_SEED", 2)), number("REPUTE_LISTS", 10_000))
}

// TestTortureFollow is the stress matrix at 500 and at 10,000 lines a second
// and with bursts of 100,000, three times each; with -short the bursts are of
// 10,000. Run it with -race as well.
func TestTortureFollow(t *testing.T) {
	burst := 100_000
	if testing.Short() {
		burst = 10_000
	}
	for _, c := range []struct{ rate, some int }{{500, 500}, {10_000, 10_000}, {0, burst}} {
		for run := range 3 {
			t.Run(fmt.Sprintf("%d a second, %d at a time, run %d", c.rate, c.some, run+1), func(t *testing.T) { stress(t, c.rate, c.some) })
		}
	}
}

// TestTortureDamagedDatabase damages a database and its log of changes in six
// ways, REPUTE_DAMAGES times each (200): nothing wrong may be told without a
// word, and all of the log is there, once, after it was read again.
func TestTortureDamagedDatabase(t *testing.T) {
	trials := 200
	if n, err := strconv.Atoi(os.Getenv("REPUTE_DAMAGES")); err == nil {
		trials = n
	}
	damageDatabase(t, trials)
}

// TestTortureManyFiles reads a folder of 10,000 files: with few descriptors.
func TestTortureManyFiles(t *testing.T) {
	cab := newCabin(t)
	const files = 10_000
	for i := range files {
		id := fmt.Sprintf("%010X", i+1<<20)
		cab.put(fmt.Sprintf("m%05d.log", i), []byte(mailLine(i)+"2026-01-05T23:00:00Z mx1 postfix/qmgr[1]: "+id+": removed\n"))
	}
	paths, errs := source.Expand([]string{cab.dir})
	if len(paths) != files || len(errs) > 0 {
		t.Fatalf("%d files, %v", len(paths), errs)
	}
	most := 0
	cab.o.Progress = func(int64) {
		open, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, len(open))
	}
	start := time.Now()
	if _, err := Run(t.Context(), paths, cab.o); err != nil {
		t.Fatal(err)
	}
	cab.holds(files)
	t.Logf("%d files in %v, at most %d descriptors", files, time.Since(start).Round(time.Second), most)
	if most > 64 {
		t.Fail()
	}
}
