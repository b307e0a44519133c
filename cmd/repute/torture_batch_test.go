//go:build torture

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"repute/internal/store"
)

// killed is a program, a log, and what a reading without a kill finds in it.
type killed struct {
	t            *testing.T
	program, log string
	db           string
	clean        string
	took         time.Duration
}

func newKilled(t *testing.T, lines int) *killed {
	t.Helper()
	dir := t.TempDir()
	k := &killed{t: t, program: filepath.Join(dir, "repute"), log: filepath.Join(dir, "mail.log"), db: filepath.Join(dir, "r.duckdb")}
	for _, c := range []string{
		"go build -o " + k.program + " .",
		fmt.Sprintf("go run repute/internal/bench/genlog -lines %d >%s", lines, k.log),
	} {
		if out, err := exec.Command("sh", "-c", c).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", c, err, out)
		}
	}
	start := time.Now()
	if out, err := k.ingest().CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	k.took = time.Since(start)
	k.clean = k.contents()
	k.remove()
	return k
}

func (k *killed) ingest() *exec.Cmd { return exec.Command(k.program, "ingest", "--db", k.db, k.log) }

func (k *killed) remove() {
	old, err := filepath.Glob(k.db + "*")
	if err != nil {
		k.t.Fatal(err)
	}
	for _, f := range old {
		if err := os.Remove(f); err != nil {
			k.t.Fatal(err)
		}
	}
}

// contents is a digest of all that was read: the coverage, each attempt with
// how often it is there, both rollups; and what verify finds wrong.
func (k *killed) contents() string {
	k.t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, k.db, store.Options{})
	if err != nil {
		k.t.Fatal(err)
	}
	defer s.Close()
	info, err := s.Info(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	faults, err := s.Verify(ctx)
	if err != nil {
		k.t.Fatal(err)
	}
	var lines []string
	first, last, err := s.Hours(ctx, 1<<40)
	if err != nil {
		k.t.Fatal(err)
	}
	for hour := first; hour <= last; hour += 3600 {
		known, err := s.Likenesses(ctx, "mx1", -1, hour)
		if err != nil {
			k.t.Fatal(err)
		}
		for l, n := range maps.All(known) {
			// The hash's key is drawn at random for each store.
			lines = append(lines, fmt.Sprint(l.At, l.Status, l.Queue, l.Conn, l.Xmit, n))
		}
	}
	for _, byDomain := range []bool{false, true} {
		domains, err := s.Domains(ctx)
		if err != nil {
			k.t.Fatal(err)
		}
		for e, err := range s.Evidence(ctx, 0, 1<<40, byDomain) {
			if err != nil {
				k.t.Fatal(err)
			}
			name := ""
			if byDomain {
				name = domains[e.Domain-1].Name
			}
			lines = append(lines, fmt.Sprint(e.Hour, name, e.Counts))
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%d lines, %d events, %d attempts, %x %q", info.Lines, info.Events, info.Attempts,
		sha256.Sum256([]byte(strings.Join(lines, "\n"))), faults)
}

// TestTortureIngest kills an ingest at random moments, resumes it until it is
// through, and compares with a reading without a kill. REPUTE_KILLS sets how
// often (200).
func TestTortureIngest(t *testing.T) {
	kills := 200
	if n, err := strconv.Atoi(os.Getenv("REPUTE_KILLS")); err == nil {
		kills = n
	}
	k := newKilled(t, 1_000_000)
	random := rand.New(rand.NewPCG(3, 4))
	done, whole, bad := 0, 0, 0
	for done < kills {
		c := k.ingest()
		var stderr strings.Builder
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- c.Wait() }()
		select {
		case err := <-end:
			if err != nil {
				bad++
				t.Errorf("after %d kills it did not open or go on: %v: %s", done, err, stderr.String())
				k.remove()
				continue
			}
			whole++
			if got := k.contents(); got != k.clean {
				bad++
				t.Errorf("after %d kills\n%s, without\n%s", done, got, k.clean)
			}
			k.remove()
		case <-time.After(time.Duration(random.Int64N(int64(k.took) * 12 / 10))):
			_ = c.Process.Kill()
			<-end
			done++
		}
	}
	t.Logf("%d kills, %d readings completed, %d not equal or not opened", done, whole, bad)
}

// TestTortureWrites kills an ingest at each n-th write, sync and rename, from
// the creation of the database on.
func TestTortureWrites(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: apt-get install strace")
	}
	k := newKilled(t, 20_000)
	points, bad := 0, 0
	for _, call := range []string{"pwrite64", "write", "fsync", "rename", "renameat", "ftruncate", "unlink", "unlinkat"} {
		for n := 1; ; n++ {
			k.remove()
			c := exec.Command("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace="+call,
				"-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), k.program, "ingest", "--db", k.db, k.log)
			out, err := c.CombinedOutput()
			if err == nil {
				break // there is no n-th one
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || n > 500 {
				t.Fatalf("%s %d: %v: %s", call, n, err, out)
			}
			points++
			if out, err := k.ingest().CombinedOutput(); err != nil {
				bad++
				t.Errorf("killed at %s %d, then %v: %s", call, n, err, out)
				continue
			}
			if got := k.contents(); got != k.clean {
				bad++
				t.Errorf("killed at %s %d:\n%s, without\n%s", call, n, got, k.clean)
			}
		}
	}
	t.Logf("%d points, %d bad", points, bad)
}

// TestTortureCutCopy reads a log beside a copy of its last two thirds whose name
// comes first: attempts and evidence are those of the log alone.
func TestTortureCutCopy(t *testing.T) {
	k := newKilled(t, 200_000)
	text, err := os.ReadFile(k.log)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text[len(text)/3:]), "\n")
	cut := filepath.Join(filepath.Dir(k.log), "a.log")
	if err := os.WriteFile(cut, []byte(rest), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(k.program, "ingest", "--db", k.db, cut, k.log).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	// There are more lines and events: only attempts are known again.
	_, got, _ := strings.Cut(k.contents(), "events, ")
	if _, want, _ := strings.Cut(k.clean, "events, "); got != want {
		t.Errorf("with the copy\n%s, without\n%s", got, want)
	}
}
