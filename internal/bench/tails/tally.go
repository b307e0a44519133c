package main

import (
	"os"
	"strings"
	"sync"
	"time"

	"repute/internal/rotate"
)

// stress is a case of the matrix, restarts among them.
type stress struct {
	name string
	run  func(t tail, w *rotate.Writer, some int, count *tally) error
	torn int
}

func cases() (all []stress) {
	for _, c := range rotate.Cases() {
		all = append(all, stress{c.Name, func(t tail, w *rotate.Writer, some int, count *tally) error {
			stop, err := t.open(w.Path, 0, count.line)
			if err != nil {
				return err
			}
			c.Write(w, some)
			count.settle(w.N)
			_, err = stop()
			return err
		}, c.Torn})
	}
	for _, n := range []int{1, 7} {
		name := map[int]string{1: "restart over one rotation", 7: "restart over seven rotations"}[n]
		all = append(all, stress{name, func(t tail, w *rotate.Writer, some int, count *tally) error {
			return restart(t, w, some, n, count)
		}, 0})
	}
	return all
}

// restart stops the tail in the middle and begins a new one where it was, as
// far as the file that is there now is long enough.
func restart(t tail, w *rotate.Writer, some, rotations int, count *tally) error {
	w.Open()
	defer w.Close()
	stop, err := t.open(w.Path, 0, count.line)
	if err != nil {
		return err
	}
	w.Lines(some)
	count.settle(w.N)
	at, err := stop()
	if err != nil {
		return err
	}
	rotate.Down(w, max(1, some/3), rotations)
	if info, err := os.Stat(w.Path); err == nil && info.Size() < at {
		at = 0
	}
	if stop, err = t.open(w.Path, at, count.line); err != nil {
		return err
	}
	count.settle(w.N)
	_, err = stop()
	return err
}

// tally counts lines by their queue id.
type tally struct {
	mu    sync.Mutex
	seen  map[string]int
	lines map[string]bool // no whole line of ours
	last  time.Time
}

func newTally() *tally { return &tally{seen: map[string]int{}, lines: map[string]bool{}} }

func (c *tally) line(s string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = time.Now()
	_, rest, ok := strings.Cut(s, "postfix/smtp[7]: ")
	id, _, found := strings.Cut(rest, ":")
	if !ok || !found || !strings.HasPrefix(s, "2025-11-24T10:00:00") || !strings.HasSuffix(s, "(250 2.0.0 Ok: queued)") {
		c.lines[s[:min(len(s), 100)]+s[max(0, len(s)-100):]] = true
		return
	}
	c.seen[id]++
}

// settle waits until all lines came, or nothing for three seconds.
func (c *tally) settle(n int) {
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		c.mu.Lock()
		all, last := len(c.seen) >= n, c.last
		c.mu.Unlock()
		if all || time.Since(last) > 3*time.Second && time.Since(begun) > 3*time.Second {
			return
		}
	}
}

func (c *tally) judge(n, torn int) (lost, doubled, broken int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range n {
		switch k := c.seen[rotate.ID(i)]; {
		case k == 0:
			lost++
		case k > 1:
			doubled++
		}
	}
	return lost, doubled, max(0, len(c.lines)-torn)
}
