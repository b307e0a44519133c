//go:build torture

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"repute/internal/store"
)

// TestTortureFollow kills the follower at random moments while 2,000 lines a
// second come and the log is rotated every two seconds, and counts what is
// lost and doubled: nothing may be. REPUTE_KILLS sets how often (100).
func TestTortureFollow(t *testing.T) {
	kills := 100
	if n, err := strconv.Atoi(os.Getenv("REPUTE_KILLS")); err == nil {
		kills = n
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "repute")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
	ctx, cancel := context.WithCancel(t.Context())
	written := make(chan int, 1)
	go func() { written <- writeAndRotate(t, ctx, log) }()

	random := rand.New(rand.NewPCG(1, 2))
	failedOpens := 0
	for range kills {
		c := exec.Command(program, "follow", log, "--db", db)
		out, _ := os.CreateTemp(dir, "out")
		c.Stderr = out
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(200+random.IntN(1500)) * time.Millisecond)
		_ = c.Process.Kill()
		if state, _ := c.Process.Wait(); state.Exited() {
			failedOpens++
			text, _ := os.ReadFile(out.Name())
			t.Logf("it ended by itself: %s", text)
		}
	}
	cancel()
	n := <-written
	c := exec.Command(program, "follow", log, "--db", db)
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var info []byte
	for range 300 {
		time.Sleep(200 * time.Millisecond)
		info, _ = exec.Command(program, "db", "info", "--db", db, "--format", "csv").Output()
		if got := attempts(info); got >= n {
			break
		}
	}
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	lost, doubled := judge(t, db, n)
	t.Logf("%d kills, %d lines: lost %d, doubled %d, failed opens %d", kills, n, lost, doubled, failedOpens)
	if lost+doubled+failedOpens > 0 {
		t.Fail()
	}
}

func attempts(csv []byte) int {
	var lines, events, n int
	for _, line := range splitLines(csv) {
		if _, err := fmt.Sscanf(line, "%d,%d,%d,", &lines, &events, &n); err == nil {
			return n
		}
	}
	return -1
}

func splitLines(b []byte) (out []string) {
	start := 0
	for i, c := range b {
		if c == '\n' {
			out = append(out, string(b[start:i]))
			start = i + 1
		}
	}
	return out
}

func queueID(n int) string { return fmt.Sprintf("A%09X", n) }

// writeAndRotate writes until the context ends and returns how many lines. At
// each rotation the old descriptor is kept for half a second.
func writeAndRotate(t *testing.T, ctx context.Context, path string) (n int) {
	open := func() *os.File {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Error(err)
		}
		return f
	}
	f := open()
	for tick := 1; ctx.Err() == nil; tick++ {
		for range 200 {
			fmt.Fprintf(f, "%s mx1 postfix/smtp[7]: %s: to=<u%d@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)\n",
				time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00"), queueID(n), n)
			n++
		}
		switch tick % 20 {
		case 0:
			for i := 40; i >= 1; i-- {
				_ = os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
			}
			_ = os.Rename(path, path+".1")
		case 5:
			f.Close()
			f = open()
		}
		time.Sleep(100 * time.Millisecond)
	}
	f.Close()
	return n
}

// judge counts the deliveries of each queue id.
func judge(t *testing.T, db string, n int) (lost, doubled int) {
	s, err := store.Open(context.Background(), db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for from := 0; from < n; from += 5000 {
		var ids []string
		for i := from; i < min(from+5000, n); i++ {
			ids = append(ids, queueID(i))
		}
		found, err := s.FindMessages(context.Background(), nil, ids)
		if err != nil {
			t.Fatal(err)
		}
		times := map[string]int{}
		for _, f := range found {
			times[f.QueueID]++
		}
		for _, id := range ids {
			switch k := times[id]; {
			case k == 0:
				lost++
			case k > 1:
				doubled++
			}
		}
	}
	return lost, doubled
}
