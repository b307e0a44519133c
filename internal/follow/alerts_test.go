package follow

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"repute/inference"
	"repute/internal/alert"
	"repute/internal/analysis"
)

// Falls of long ago are no alert, and no news at each restart: those that still
// hold are said once, with the day of the latest.
func TestOldFalls(t *testing.T) {
	now := time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)
	change := func(ip string, daysAgo int, before, after float64) inference.Change {
		at := now.AddDate(0, 0, -daysAgo)
		return inference.Change{Time: at.Add(-12 * time.Hour), Noticed: at, IP: ip, Receiver: "gmail", Cause: "private", Before: before, After: after, Drop: before - after}
	}
	var log bytes.Buffer
	x := NewAlerts(func() *alert.Desk { return &alert.Desk{} }, nil, slog.New(slog.NewTextHandler(&log, nil)))
	x.Now = func() time.Time { return now }
	scored := func(changes ...inference.Change) string {
		log.Reset()
		x.Scored(t.Context(), nil, &analysis.Result{Changes: changes})
		return log.String()
	}
	back := []inference.Change{change("192.0.2.1", 60, 95, 20), change("192.0.2.1", 50, 20, 95)}
	if said := scored(back...); said != "" {
		t.Errorf("a fall that is over is told: %s", said)
	}
	all := append(back, change("192.0.2.2", 40, 95, 20), change("192.0.2.3", 10, 98, 31), inference.Change{Time: now.AddDate(0, 0, -5), Cause: "outage"})
	said := scored(all...)
	for _, want := range []string{"falls=2", `latest="192.0.2.3 at gmail"`, "since=2026-11-09", "from=98 to=31", "noticed_before=2026-11-17"} {
		if strings.Count(said, "\n") != 1 || !strings.Contains(said, want) {
			t.Errorf("no %s in %q", want, said)
		}
	}
	if said := scored(all...); said != "" {
		t.Errorf("told again: %s", said)
	}
	if said := scored(append(all, change("192.0.2.4", 8, 90, 40))...); !strings.Contains(said, "falls=1") {
		t.Errorf("an old fall that came to be known later: %q", said)
	}
}
