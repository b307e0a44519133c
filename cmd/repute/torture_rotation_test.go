//go:build torture

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"repute/internal/rotate"
)

// TestTortureRotation stops the follower within a rotation: after the rename,
// after the new file is made, after its writer has gone over to it, after the
// compression. First by kill -9, REPUTE_KILLS times (100), then as often by
// SIGTERM and SIGINT, after which it must end within 5 seconds with status 0
// and leave no log of changes. Lines come at each moment; nothing may be lost
// or doubled.
func TestTortureRotation(t *testing.T) {
	times := 100
	if n, err := strconv.Atoi(os.Getenv("REPUTE_KILLS")); err == nil {
		times = n
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "repute")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
	w := &rotate.Writer{Path: log}
	w.Open()
	random := rand.New(rand.NewPCG(3, 4))
	slowest, early := time.Duration(0), 0
	for i := range 2 * times {
		c := exec.Command(program, "follow", log, "--db", db)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		w.Lines(50)
		time.Sleep(time.Duration(200+random.IntN(600)) * time.Millisecond)
		w.Lines(50)
		rotateUntil(w, func(gap int) {
			if gap != i%4 {
				return
			}
			if i < times {
				_ = c.Process.Kill()
				_ = c.Wait()
				return
			}
			at := time.Now()
			_ = c.Process.Signal([]os.Signal{syscall.SIGTERM, os.Interrupt}[i/4%2])
			_ = c.Wait()
			slowest = max(slowest, time.Since(at))
			// Before it listens to them a signal ends it as it ends any program.
			if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signaled() && s.Signal() != syscall.SIGTERM && s.Signal() != syscall.SIGINT || s.Exited() && s.ExitStatus() != exitOK {
				t.Errorf("signal in gap %d: %v", gap, c.ProcessState)
			} else if s.Signaled() {
				early++
				return
			}
			if _, err := os.Stat(db + ".wal"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("signal in gap %d: a log of changes is left", gap)
			}
		})
	}
	w.Close()
	c := exec.Command(program, "follow", log, "--db", db)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(time.Minute); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		info, _ := exec.Command(program, "db", "info", "--db", db, "--format", "csv").Output()
		if attempts(info) >= w.N {
			break
		}
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	lost, doubled := judge(t, db, w.N)
	t.Logf("%d kill -9 and %d signals (%d of them before it listened) within rotations, %d lines: lost %d, doubled %d; the slowest end after %v", times, times, early, w.N, lost, doubled, slowest)
	if lost+doubled > 0 || slowest > 5*time.Second {
		t.Fail()
	}
}

// rotateUntil rotates as logrotate does with delaycompress: the writer keeps
// the old file for a while. It tells of each gap between two steps.
func rotateUntil(w *rotate.Writer, gap func(int)) {
	w.Rotate()
	_ = os.Remove(w.Path + ".41.gz") // read long ago
	w.Lines(10)                      // to the old file
	gap(0)
	if f, err := os.OpenFile(w.Path, os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
		_ = f.Close()
	}
	w.Lines(10)
	gap(1)
	w.Reopen()
	w.Lines(10)
	gap(2)
	if _, err := os.Stat(fmt.Sprintf("%s.2", w.Path)); err == nil {
		w.Compress(2)
	}
	gap(3)
}
