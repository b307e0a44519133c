//go:build torture

package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTortureSoak follows 2,000 lines a second with a rotation every 20
// seconds, for REPUTE_SOAK (2m), and says what that costs, how old a line is
// when a score knows of it, and whether memory, files or goroutines grow.
// Before and after it the daemon idles for a while.
func TestTortureSoak(t *testing.T) {
	soak := 2 * time.Minute
	if d, err := time.ParseDuration(os.Getenv("REPUTE_SOAK")); err == nil {
		soak = d
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "repute")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	log, config := filepath.Join(dir, "mail.log"), filepath.Join(dir, "repute.toml")
	if err := os.WriteFile(config, []byte("[[sender]]\nhost = \"mx1\"\nip = \"192.0.2.11\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	c := exec.Command(program, "follow", log, "--db", filepath.Join(dir, "r.duckdb"), "--config", config, "--metrics", address)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, pid: c.Process.Pid, metrics: "http://" + address + "/metrics"}
	p.watch("idle, empty", 20*time.Second)

	ctx, cancel := context.WithTimeout(t.Context(), soak)
	defer cancel()
	written := &stamps{}
	go written.write(t, ctx, log)
	var ages []time.Duration
	var wg sync.WaitGroup
	wg.Go(func() { ages = p.ages(ctx, written) })
	for part := range 4 {
		p.watch(fmt.Sprintf("load, part %d of 4", part+1), soak/4)
	}
	wg.Wait()
	p.watch("after it", 150*time.Second) // what came is written into the file, memory handed back
	p.watch("idle again", 20*time.Second)
	_ = c.Process.Signal(os.Interrupt)
	_ = c.Wait()
	slices.Sort(ages)
	if len(ages) == 0 {
		t.Fatal("no score ever knew of a line")
	}
	t.Logf("line to score: median %v, p99 %v, most %v (%d scores)", ages[len(ages)/2], ages[len(ages)*99/100], ages[len(ages)-1], len(ages))
}

// stamps are when deliveries were written, by their number; each is two lines.
type stamps struct {
	mu sync.Mutex
	at []time.Time
}

func (s *stamps) write(t *testing.T, ctx context.Context, path string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Error(err)
		return
	}
	start := time.Now()
	for tick := 1; ctx.Err() == nil; tick++ {
		var b strings.Builder
		now := time.Now()
		s.mu.Lock()
		for due := int(now.Sub(start).Seconds() * 1000); len(s.at) < due; {
			n := len(s.at)
			s.at = append(s.at, now)
			stamp := now.UTC().Format("2006-01-02T15:04:05.000000+00:00")
			fmt.Fprintf(&b, "%s mx1 postfix/smtp[7]: %s: to=<u%d@example.net>, relay=mx.example.net[198.51.100.9]:25, delay=0.5, delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued)\n%s mx1 postfix/qmgr[3]: %s: removed\n",
				stamp, queueID(n), n, stamp, queueID(n))
		}
		s.mu.Unlock()
		_, _ = f.WriteString(b.String())
		if tick%400 == 0 {
			for i := 9; i >= 1; i-- {
				_ = os.Rename(fmt.Sprintf("%s.%d", path, i), fmt.Sprintf("%s.%d", path, i+1))
			}
			_ = os.Rename(path, path+".1")
			f.Close()
			f, _ = os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.Close()
}

// process is the daemon, seen from outside.
type process struct {
	t       *testing.T
	pid     int
	metrics string
}

// watch says what the daemon uses for so long.
func (p *process) watch(what string, d time.Duration) {
	before := p.ticks()
	time.Sleep(d)
	share := float64(p.ticks()-before) / 100 / d.Seconds() * 100
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.pid))
	p.t.Logf("%-18s %5.2f %% of a core, RSS %s (peak %s, of it files %s), %d fds, %s goroutines", what, share,
		p.status("VmRSS"), p.status("VmHWM"), p.status("RssFile"), len(fds), p.metric("go_goroutines"))
}

// ticks is the processor time used, in hundredths of a second.
func (p *process) ticks() (n int) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	for _, field := range strings.Fields(rest)[11:13] {
		k, _ := strconv.Atoi(field)
		n += k
	}
	return n
}

func (p *process) status(key string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	_, rest, _ := strings.Cut(string(b), key+":")
	value, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(value)
}

func (p *process) metric(name string) string {
	r, err := http.Get(p.metrics)
	if err != nil {
		return "?"
	}
	defer r.Body.Close()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return value
		}
	}
	return "?"
}

// ages notes, for each new score, how old the newest line was that it knows,
// and the lines before it back to the last score: the oldest of these waited
// longest.
func (p *process) ages(ctx context.Context, s *stamps) (out []time.Duration) {
	last := 0
	for ctx.Err() == nil {
		time.Sleep(50 * time.Millisecond)
		known, err := strconv.ParseFloat(p.metric(`repute_evidence{ip="192.0.2.11",receiver="example.net"}`), 64)
		if err != nil || int(known) <= last {
			continue
		}
		now := time.Now()
		s.mu.Lock()
		for i := last; i < min(int(known), len(s.at)); i += 100 {
			out = append(out, now.Sub(s.at[i]).Round(10*time.Millisecond))
		}
		s.mu.Unlock()
		last = int(known)
	}
	return out
}
