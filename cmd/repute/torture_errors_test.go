//go:build torture

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"repute/internal/ingest"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

// stopped runs a command and returns its exit status and what it said; -1 for
// a signal.
func stopped(t *testing.T, c *exec.Cmd) (status int, out string) {
	t.Helper()
	text, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(text)
}

// strace runs the program of a command with a fault put into a system call.
func (k *killed) strace(call, inject, path string) *exec.Cmd {
	args := []string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + inject}
	if path != "" {
		args = append(args, "-P", path)
	}
	return exec.Command("strace", append(args, k.ingest().Args...)...)
}

// TestTortureErrors lets the disk fail at each n-th write and sync, once or
// from then on, with an I/O error or for want of room. It is said, with the
// exit status for it; then the next reading makes all equal.
func TestTortureErrors(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: apt-get install strace")
	}
	k := newKilled(t, 20_000)
	points, told, bad := 0, 0, 0
	for _, fault := range []struct {
		errno  string
		status int
	}{{"EIO", exitIO}, {"ENOSPC", exitTryAgain}} {
		for _, call := range []string{"pwrite64", "fsync", "ftruncate", "rename"} {
			for _, from := range []string{"", "+"} {
				for n := 1; ; n++ {
					k.remove()
					before := points
					status, out := stopped(t, k.strace(call, fmt.Sprintf("error=%s:when=%d%s", fault.errno, n, from), ""))
					switch {
					case status == exitOK && from == "" && n > 1, n > 12: // there is no n-th one, or it did not matter
					default:
						points++
					}
					if status != exitOK {
						told++
						// What a failed fsync was for DuckDB does not say.
						if status != fault.status && !(status == exitIO && strings.Contains(out, "fsync failed")) {
							bad++
							t.Errorf("%s at %s %d%s: exit status %d: %.300s", fault.errno, call, n, from, status, out)
						}
					}
					if status, out := stopped(t, k.ingest()); status != exitOK {
						bad++
						t.Errorf("%s at %s %d%s, then exit status %d: %.300s", fault.errno, call, n, from, status, out)
					} else if got := k.contents(); got != k.clean {
						bad++
						t.Errorf("%s at %s %d%s:\n%s, without\n%s", fault.errno, call, n, from, got, k.clean)
					}
					if points == before {
						break
					}
				}
			}
		}
	}
	t.Logf("%d points, %d told, %d bad", points, told, bad)
}

// TestTortureUnreadable lets a read of the log fail: what was whole before is
// kept, the other file is done, exit 1; the next reading makes all equal.
func TestTortureUnreadable(t *testing.T) {
	k := newKilled(t, 20_000)
	other := filepath.Join(filepath.Dir(k.log), "other.log")
	const line = "Jan  5 12:00:00 mx9 postfix/smtp[7]: A1B2C3D4E5: to=<u@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)\n"
	if err := os.WriteFile(other, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for n := 1; n <= 12; n++ {
		k.remove()
		c := k.strace("read", fmt.Sprintf("error=EIO:when=%d", n), k.log)
		c.Args = append(c.Args, other)
		status, out := stopped(t, c)
		if status != exitPartial && status != exitOK || status == exitPartial && !strings.Contains(out, "input/output error") {
			t.Errorf("read %d fails: exit status %d: %.300s", n, status, out)
		}
		if status == exitPartial {
			failed++
		}
		if status, found := stopped(t, exec.Command(k.program, "trace", "A1B2C3D4E5", "--db", k.db)); status != exitOK {
			t.Errorf("read %d fails: the other file is not read: %s", n, found)
		}
		k.resumeAfterRead(n)
	}
	if failed < 5 {
		t.Errorf("only %d reads of the log failed", failed)
	}
	t.Logf("%d of 12 reads failed", failed)
}

// resumeAfterRead lets the n-th read of the log fail, reads on, and compares.
func (k *killed) resumeAfterRead(n int) {
	k.t.Helper()
	k.remove()
	if status, out := stopped(k.t, k.strace("read", fmt.Sprintf("error=EIO:when=%d", n), k.log)); status != exitPartial && status != exitOK {
		k.t.Errorf("read %d: exit status %d: %.300s", n, status, out)
	}
	if status, out := stopped(k.t, k.ingest()); status != exitOK {
		k.t.Errorf("after read %d failed: exit status %d: %.300s", n, status, out)
	}
	if got := k.contents(); got != k.clean {
		k.t.Errorf("read %d failed:\n%s, without\n%s", n, got, k.clean)
	}
}

// TestTortureSignals interrupts an ingest at random moments with SIGINT and
// SIGTERM: it ends within 5 s, says so, and the next goes on there.
// REPUTE_KILLS sets how often (100).
func TestTortureSignals(t *testing.T) {
	times := 100
	if n, err := strconv.Atoi(os.Getenv("REPUTE_KILLS")); err == nil {
		times = n
	}
	k := newKilled(t, 1_000_000)
	random := rand.New(rand.NewPCG(7, 8))
	slowest, whole := time.Duration(0), 0
	for done := 0; done < times; {
		c := k.ingest()
		var said strings.Builder
		c.Stderr = &said
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- c.Wait() }()
		select {
		case <-end:
			whole++
			if got := k.contents(); got != k.clean {
				t.Errorf("after %d signals\n%s, without\n%s", done, got, k.clean)
			}
			k.remove()
		case <-time.After(time.Duration(random.Int64N(int64(k.took) * 12 / 10))):
			done++
			at := time.Now()
			_ = c.Process.Signal([]os.Signal{os.Interrupt, syscall.SIGTERM}[done%2])
			<-end
			slowest = max(slowest, time.Since(at))
			if status := c.ProcessState.ExitCode(); status != exitInterrupted && status != exitOK {
				// Before it listens to them a signal ends it as it ends any program.
				if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); !ok || !s.Signaled() {
					t.Errorf("signal %d: exit status %d: %s", done, status, said.String())
				}
			}
		}
	}
	if slowest > 5*time.Second {
		t.Errorf("it took %v", slowest)
	}
	t.Logf("%d signals, the slowest end after %v, %d readings completed", times, slowest, whole)
}

// TestTortureFullDisk fills the disk that the database is on, by reading and
// by following; it needs root, for a file system of its own.
func TestTortureFullDisk(t *testing.T) {
	k := newKilled(t, 1_000_000)
	small := filepath.Join(t.TempDir(), "small")
	mount := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
			t.Fatalf("mount: %v: %s", err, out)
		}
	}
	if err := os.Mkdir(small, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, megabytes := range []int{1, 4, 8, 12, 14} {
		mount("-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", megabytes), "none", small)
		k.db = filepath.Join(small, "r.duckdb")
		k.fillAndAsk()
		k.remove()
		status, out := stopped(t, k.ingest())
		if status != exitTryAgain || !strings.Contains(out, small) {
			t.Errorf("%d MB: exit status %d: %.300s", megabytes, status, out)
		}
		// A report of what is there is right, or there is none.
		status, out = stopped(t, exec.Command(k.program, "db", "info", "--db", k.db, "--format", "csv"))
		if n := attempts([]byte(out)); status == exitOK && n < 0 || status != exitOK && status != exitTryAgain && status != exitUsage {
			t.Errorf("%d MB: db info: exit status %d: %.300s", megabytes, status, out)
		}
		mount("-o", "remount,size=400m", small)
		at := time.Now()
		if status, out := stopped(t, k.ingest()); status != exitOK {
			t.Errorf("%d MB, then room: exit status %d: %.300s", megabytes, status, out)
		}
		if got := k.contents(); got != k.clean {
			t.Errorf("%d MB:\n%s, without\n%s", megabytes, got, k.clean)
		}
		t.Logf("%d MB: gone on and done in %v", megabytes, time.Since(at).Round(time.Millisecond))
		if out, err := exec.Command("umount", small).CombinedOutput(); err != nil {
			t.Fatalf("umount: %v: %s", err, out)
		}
	}
}

// fillAndAsk reads until the disk is full, within this process, and then asks
// the same handle: it tells what was committed, or that it can't.
func (k *killed) fillAndAsk() {
	k.t.Helper()
	ctx := context.Background()
	s, err := store.Open(ctx, k.db, store.Options{})
	if err != nil {
		return // not even room for an empty one
	}
	set, err := rules.Default()
	if err != nil {
		k.t.Fatal(err)
	}
	o := ingest.Options{Formats: all.Formats(), Rules: set, Store: s, Key: []byte("key"), BatchLines: 20_000}
	if _, err := ingest.Run(ctx, []string{k.log}, o); err == nil {
		k.t.Error("the disk was large enough")
	}
	var told []int64
	for range 20 {
		if info, err := s.Info(ctx); err == nil {
			told = append(told, info.Lines)
		}
	}
	if err := s.Close(); err != nil {
		k.t.Logf("closing: %v", err)
	}
	if s, err = store.Open(ctx, k.db, store.Options{}); err != nil {
		k.t.Logf("opening again: %v", err)
		return
	}
	defer s.Close()
	info, err := s.Info(ctx)
	for _, n := range told {
		if err != nil || n != info.Lines {
			k.t.Errorf("the handle told of %d lines, there are %d, %v", n, info.Lines, err)
			break
		}
	}
	k.t.Logf("the full handle answered %d of 20 times: %d lines", len(told), info.Lines)
}
