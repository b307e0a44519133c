package follow

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"repute/inference"
	"repute/internal/alert"
	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/reports/words"
)

// Alerts raises what the daemon notices and sees to its delivery.
type Alerts struct {
	// Desk is as configured now; nil where nobody wants alerts.
	Desk func() *alert.Desk
	// Mail tries what is due in the outbox; nil where there is no way out.
	Mail func(ctx context.Context) error
	Log  *slog.Logger
	Now  func() time.Time

	poke     chan struct{} // capacity 1: there is something to deliver
	told     map[string]bool
	old      map[string]bool // falls that were said to be no news
	mu       sync.Mutex
	coverage map[string]*coverage // by log
}

// NewAlerts returns the daemon's alerts.
func NewAlerts(desk func() *alert.Desk, mail func(context.Context) error, log *slog.Logger) *Alerts {
	return &Alerts{
		Desk: desk, Mail: mail, Log: log, Now: time.Now,
		poke: make(chan struct{}, 1), told: map[string]bool{}, old: map[string]bool{}, coverage: map[string]*coverage{},
	}
}

const (
	// news is how old a change may be, in the logs' time, to be told: what was
	// missed over a weekend is, what an old log shows is not.
	news      = 3 * 24 * time.Hour
	sendEvery = 10 * time.Second
)

// Scored raises the changes that are news. Findings are gathered only where
// there is a change that was not seen before.
func (x *Alerts) Scored(ctx context.Context, a *analysis.Analysis, r *analysis.Result) {
	desk := x.Desk()
	if desk == nil {
		return
	}
	since := x.Now().Add(-news)
	var fresh []string
	from := time.Time{}
	for i := range r.Changes {
		c := &r.Changes[i]
		if key := changeKey(c); c.Drop != 0 && !c.Noticed.Before(since) && !x.told[key] {
			fresh = append(fresh, key)
			if from.IsZero() || c.Time.Before(from) {
				from = c.Time
			}
		}
	}
	x.sayOld(r.Changes, since)
	if len(fresh) == 0 {
		return
	}
	from = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, from.Location())
	f, err := a.Findings(ctx, from, time.Time{})
	if err == nil {
		err = desk.Raise(ctx, func(w *words.Words) []alert.Alert { return alert.From(f, since, w) })
	}
	if err != nil {
		x.Log.Error("alerts not raised; the next inference tries again", "why", err)
		return
	}
	for _, key := range fresh {
		x.told[key] = true
	}
	x.deliver()
}

// sayOld puts the falls into the log that raise no alert for being old, and
// that still hold: once, not at each inference, and the latest of them by name.
func (x *Alerts) sayOld(changes []inference.Change, since time.Time) {
	n, latest := 0, (*inference.Change)(nil)
	for _, c := range holding(changes) {
		if key := changeKey(c); c.Noticed.Before(since) && !x.old[key] {
			x.old[key] = true
			n++
			if latest == nil || c.Noticed.After(latest.Noticed) {
				latest = c
			}
		}
	}
	if n > 0 {
		x.Log.Info("old falls that still hold raise no alert; repute changes lists them", "falls", n, "noticed_before", since.Format(time.DateOnly),
			"latest", latest.IP+" at "+latest.Receiver, "since", latest.Time.Format(time.DateOnly), "from", math.Round(latest.Before), "to", math.Round(latest.After))
	}
}

// holding are the falls that no recovery followed: the last change of a pair.
func holding(changes []inference.Change) (falls []*inference.Change) {
	last := map[[2]string]int{}
	for i := range changes {
		if c := &changes[i]; c.Drop != 0 {
			last[[2]string{c.IP, c.Receiver}] = i
		}
	}
	for i := range changes {
		if c := &changes[i]; c.Drop > 0 && last[[2]string{c.IP, c.Receiver}] == i {
			falls = append(falls, c)
		}
	}
	return falls
}

// changeKey tells changes apart; a fall that goes on is another one.
func changeKey(c *inference.Change) string {
	return fmt.Sprintf("%s %s %s %s %d %d", c.IP, c.Receiver, c.Cause, c.Entity, c.Noticed.Unix(), int(c.Drop/20))
}

// Silence raises the alert of a log without lines.
func (x *Alerts) Silence(ctx context.Context, since time.Time) {
	now := x.Now()
	x.raise(ctx, "silence", func(w *words.Words) alert.Alert { return alert.Silence(since, now, w) })
}

// Committed watches how much of a log is understood.
func (x *Alerts) Committed(ctx context.Context, c *ingest.Committed) {
	x.mu.Lock()
	w := x.coverage[c.Path]
	if w == nil {
		w = &coverage{hour: x.Now()}
		x.coverage[c.Path] = w
	}
	before, now, fell := w.add(x.Now(), c.Events, c.NotUnderstood)
	x.mu.Unlock()
	if fell {
		at := x.Now()
		x.raise(ctx, "coverage "+c.Path, func(w *words.Words) alert.Alert { return alert.Coverage(c.Path, before, now, at, w) })
	}
}

func (x *Alerts) raise(ctx context.Context, about string, say func(*words.Words) alert.Alert) {
	desk := x.Desk()
	if desk == nil {
		return
	}
	if err := desk.Raise(ctx, func(w *words.Words) []alert.Alert { return []alert.Alert{say(w)} }); err != nil {
		x.Log.Error("alert not raised", "about", about, "why", err)
	}
	x.deliver()
}

func (x *Alerts) deliver() {
	select {
	case x.poke <- struct{}{}:
	default:
	}
}

// Run delivers until the context ends.
func (x *Alerts) Run(ctx context.Context) {
	for {
		if desk := x.Desk(); desk != nil {
			x.say(ctx, desk.Send(ctx))
		}
		if x.Mail != nil {
			x.say(ctx, x.Mail(ctx))
		}
		select {
		case <-ctx.Done():
			return
		case <-x.poke:
		case <-time.After(sendEvery):
		}
	}
}

func (x *Alerts) say(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		x.Log.Error("alerts not delivered; tried again", "why", err)
	}
}

// coverage is how much of a log is not understood, hour by hour.
type coverage struct {
	hour         time.Time // when the hour began
	lines, faint int64     // of this hour: about mail; of these not understood
	usual        float64   // share before, forgetting slowly; at least floorShare
}

const (
	leastLines = 200  // about mail in an hour, to tell a share
	floorShare = 0.01 // fewer than this not understood is usual anywhere
	tellShare  = 0.05
	tellTimes  = 4
)

// add counts lines. fell is true at the end of an hour with a share that is
// far from usual.
func (w *coverage) add(now time.Time, events, notUnderstood int64) (before, share float64, fell bool) {
	w.lines += events + notUnderstood
	w.faint += notUnderstood
	if now.Sub(w.hour) < time.Hour || w.lines < leastLines {
		return 0, 0, false
	}
	share = float64(w.faint) / float64(w.lines)
	before = max(w.usual, floorShare)
	fell = share > tellShare && share > tellTimes*before
	w.usual = before + (share-before)/24
	w.hour, w.lines, w.faint = now, 0, 0
	return before, share, fell
}
