//go:build torture

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTortureMemory reads a log of 4 million lines where the kernel gives the
// process 256 MiB and no swap, and Go is told to keep to half of it: it comes
// to its end, equal to a reading without a limit. REPUTE_MEMORY sets the limit
// in MiB. It needs root, for a group of its own.
func TestTortureMemory(t *testing.T) {
	limit := 256
	if n, err := strconv.Atoi(os.Getenv("REPUTE_MEMORY")); err == nil {
		limit = n
	}
	group := newMemoryGroup(t, int64(limit)<<20)
	k := newKilled(t, 4_000_000)
	free, _, err := watched(k.ingest())
	if err != nil {
		t.Fatalf("without a limit: %v", err)
	}
	k.remove()

	c := group.command(k.ingest())
	c.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%dMiB", limit/2))
	start := time.Now()
	peak, out, err := watched(c)
	took := time.Since(start)
	t.Logf("limit %d MiB: peak RSS %d MiB in %v; without: %d MiB in %v; %s", limit, peak, took.Round(time.Millisecond), free, k.took.Round(time.Millisecond), group.usage())
	if err != nil {
		t.Fatalf("limit %d MiB: %v: %.500s", limit, err, out)
	}
	// What is resident may be more than the group is charged for: the pages of
	// the program's own file were there before.
	if peak == 0 || peak > 256 {
		t.Errorf("peak RSS %d MiB, want 256 at most", peak)
	}
	if got := k.contents(); got != k.clean {
		t.Errorf("limit %d MiB:\n%s, without\n%s", limit, got, k.clean)
	}
}

// watched runs a command and tells the most memory that was resident, in MiB.
// It asks the kernel while the command runs: what wait4 tells of a child is at
// least what its parent had when it began.
func watched(c *exec.Cmd) (peak int, said string, err error) {
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		return 0, "", err
	}
	end := make(chan error, 1)
	go func() { end <- c.Wait() }()
	for {
		select {
		case err := <-end:
			return peak, out.String(), err
		case <-time.After(5 * time.Millisecond):
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
			if _, most, ok := strings.Cut(string(status), "VmHWM:"); err == nil && ok {
				var kib int
				if _, err := fmt.Sscan(most, &kib); err == nil {
					peak = max(peak, kib>>10)
				}
			}
		}
	}
}

// memoryGroup is a cgroup with a limit, of the first kind (memory alone) or of
// the second.
type memoryGroup struct {
	t      *testing.T
	dir    string
	second bool
}

// newMemoryGroup makes a group within that of this process, so that what
// limits this process limits it too. A group of the second kind can't be there:
// one that holds processes gives its children no memory of their own; it is
// made beside it.
func newMemoryGroup(t *testing.T, limit int64) *memoryGroup {
	t.Helper()
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	g := &memoryGroup{t: t}
	name := fmt.Sprintf("repute-test-%d", os.Getpid())
	for _, line := range strings.Split(strings.TrimSpace(string(own)), "\n") {
		part := strings.SplitN(line, ":", 3)
		switch {
		case part[1] == "memory":
			g.dir, g.second = filepath.Join("/sys/fs/cgroup/memory", part[2], name), false
		case part[1] == "" && g.dir == "":
			g.dir, g.second = filepath.Join("/sys/fs/cgroup", filepath.Dir(part[2]), name), true
		}
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Fatalf("no group for the limit (root?): %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(g.dir); err != nil {
			t.Error(err)
		}
	})
	bytes := strconv.FormatInt(limit, 10)
	limits := [][2]string{{"memory.limit_in_bytes", bytes}, {"memory.memsw.limit_in_bytes", bytes}}
	if g.second {
		limits = [][2]string{{"memory.max", bytes}, {"memory.swap.max", "0"}}
	}
	for i, l := range limits {
		// The one for swap is missing where the kernel counts none.
		err := os.WriteFile(filepath.Join(g.dir, l[0]), []byte(l[1]), 0o600)
		if err != nil && !(i == 1 && os.IsNotExist(err)) {
			t.Fatal(err)
		}
	}
	return g
}

// command is one that goes into the group before it begins.
func (g *memoryGroup) command(c *exec.Cmd) *exec.Cmd {
	enter := fmt.Sprintf(`echo $$ >%q && exec "$@"`, filepath.Join(g.dir, "cgroup.procs"))
	return exec.Command("sh", append([]string{"-c", enter, "sh"}, c.Args...)...)
}

// usage is the most that the group had, with the file pages that the kernel
// keeps for it, and how often it was ended for want of memory.
func (g *memoryGroup) usage() string {
	g.t.Helper()
	most, killed := "memory.max_usage_in_bytes", "memory.oom_control"
	if g.second {
		most, killed = "memory.peak", "memory.events"
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(g.dir, name))
		if err != nil {
			g.t.Fatal(err)
		}
		return string(text)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(read(most)), 10, 64)
	if err != nil {
		g.t.Fatal(err)
	}
	_, kills, _ := strings.Cut(read(killed), "oom_kill ")
	kills, _, _ = strings.Cut(kills, "\n")
	return fmt.Sprintf("the group with its file pages %d MiB, killed %s times", n>>20, kills)
}
