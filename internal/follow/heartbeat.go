package follow

import (
	"sync"
	"time"
)

// heartbeat learns how long a log is usually silent at each hour of the week,
// and tells when it is silent for longer: a dead logger looks like peace.
type heartbeat struct {
	mu    sync.Mutex
	begun time.Time
	last  time.Time // of the last lines
	told  bool      // of this silence
	// gaps are the longest silences by hour of the week, in UTC, forgetting
	// slowly; 0 where an hour was not seen yet.
	gaps [7 * 24]time.Duration
}

// The least silence that is told, and how much longer than usual it must be.
const (
	leastSilence = 15 * time.Minute
	silenceTimes = 3
)

func newHeartbeat(now time.Time) *heartbeat { return &heartbeat{begun: now, last: now} }

func hourOfWeek(t time.Time) int {
	t = t.UTC()
	return int(t.Weekday())*24 + t.Hour()
}

// lines notes that lines came.
func (h *heartbeat) lines(now time.Time, n int64) {
	if n == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	g := &h.gaps[hourOfWeek(now)]
	silence := now.Sub(h.last)
	switch {
	case h.told: // an outage is nothing to get used to
	case silence > *g:
		*g = silence
	default:
		*g -= (*g - silence) / 10_000
	}
	h.last, h.told = now, false
}

// silent tells, once for each silence, that it lasts for longer than usual.
func (h *heartbeat) silent(now time.Time) (since time.Time, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.told || now.Sub(h.last) < h.usual(now) {
		return h.last, false
	}
	h.told = true
	return h.last, true
}

// usual is how long silence may last at this hour, by it and the hours around:
// an hour where it was not seen yet.
func (h *heartbeat) usual(now time.Time) time.Duration {
	at := hourOfWeek(now)
	longest := time.Duration(0)
	for d := -1; d <= 1; d++ {
		longest = max(longest, h.gaps[(at+d+len(h.gaps))%len(h.gaps)])
	}
	if now.Sub(h.begun) < 8*24*time.Hour {
		return max(time.Hour, silenceTimes*longest)
	}
	return max(leastSilence, silenceTimes*longest)
}
