//go:build torture

package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"repute/inference"
	"repute/internal/alert"
	"repute/internal/analysis"
	"repute/internal/config"
	"repute/internal/follow"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/parser/all"
)

// TestTortureAlerts lets the daemon follow the real logs of ../shared while
// they are written, six hours at a time, with the clock of the logs. Nothing
// is told in advance. The alerts are compared with what the receivers'
// policies did: each fall of 20 points that the log shows is to be told once,
// with its cause; what is told and was none is counted.
func TestTortureAlerts(t *testing.T) {
	if _, err := os.Stat(lab); err != nil {
		t.Skip("no ../shared/lab/real-mta")
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	r := newReplay(t, tokyo)
	for r.now.Before(time.Date(2026, 1, 14, 0, 0, 0, 0, tokyo)) {
		r.step(6 * time.Hour)
	}
	r.stop()
	r.judge()
}

// replay is the daemon with logs that are written while it follows, and the
// alerts that it raised.
type replay struct {
	t     *testing.T
	logs  map[string]*grown // by path
	desk  *alert.Desk
	store *store.Store
	stop  func()

	mu              sync.Mutex
	now             time.Time
	committed, want int64              // lines
	runs, due, done int                // inferences begun; at the last commit; ended
	changes         []inference.Change // as the last inference saw them
	told            []told
}

type told struct {
	at time.Time
	alert.Alert
}

func newReplay(t *testing.T, zone *time.Location) *replay {
	t.Helper()
	r := &replay{t: t, now: time.Date(2025, 12, 20, 0, 0, 0, 0, zone), logs: map[string]*grown{}}
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), env: func(string) string { return "" }, configPath: lab + "repute.toml"}
	reading, err := a.newReading()
	if err != nil {
		t.Fatal(err)
	}
	reading.cfg.Time = config.Time{Zone: config.Zone{Location: zone}}
	dir := t.TempDir()
	if r.store, err = store.Open(t.Context(), filepath.Join(dir, "r.duckdb"), store.Options{Lasting: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.store.Close() })
	var paths []string
	for name, parts := range map[string][]string{
		"mail.log": {"mail.log.gz"}, "maillog": {"postfix-b/maillog.20261123-130452.gz", "postfix-b/maillog.gz"},
		"mainlog-a": {"exim-a/mainlog.gz"}, "mainlog-b": {"exim-b/mainlog.gz"},
	} {
		path := filepath.Join(dir, name)
		r.logs[path] = openGrown(t, parts)
		paths = append(paths, path)
	}
	r.desk = &alert.Desk{
		Rules: []config.Alert{{Name: "all", Command: []string{"x"}}}, Book: r.store, Log: a.log, Now: r.clock,
		Way: func(*config.Alert, string) (alert.Way, error) { return r, nil },
	}
	x := follow.NewAlerts(func() *alert.Desk { return r.desk }, nil, a.log)
	x.Now = r.clock
	ctx, cancel := context.WithCancel(t.Context())
	d, err := follow.New(ctx, follow.Options{
		Paths: paths, Store: r.store, Log: a.log, Meter: follow.NewMeter(), Now: r.clock,
		Load: func(context.Context) (*follow.Loaded, error) {
			return &follow.Loaded{
				Ingest: ingest.Options{Formats: all.Formats(), Rules: reading.rules, Store: r.store, Zone: zone, Key: []byte("k")},
				Analysis: func(ctx context.Context) (*analysis.Analysis, error) {
					r.mu.Lock()
					r.runs++
					r.mu.Unlock()
					return analysis.New(ctx, r.store.Lend(), reading.rules, senderRules(&reading.cfg), model(&reading.cfg), r.clock())
				},
			}, nil
		},
		Scored: func(ctx context.Context, a *analysis.Analysis, result *analysis.Result) {
			x.Scored(ctx, a, result)
			r.mu.Lock()
			r.done, r.changes = r.runs, result.Changes
			r.mu.Unlock()
		},
		Committed: func(_ context.Context, c *ingest.Committed) {
			r.mu.Lock()
			r.committed += c.Lines
			r.due = r.runs
			r.mu.Unlock()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	return r
}

func (r *replay) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

// Deliver keeps an alert.
func (r *replay) Deliver(_ context.Context, _ string, a *alert.Alert) error {
	r.told = append(r.told, told{r.clock(), *a})
	return nil
}

// step writes what the logs say of some hours, and waits until scores know it.
func (r *replay) step(d time.Duration) {
	r.t.Helper()
	r.mu.Lock()
	r.now = r.now.Add(d)
	r.mu.Unlock()
	for path, l := range r.logs {
		r.want += l.copyUntil(r.t, path, r.now)
	}
	for until := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		r.mu.Lock()
		known := r.committed >= r.want && r.done > r.due
		r.mu.Unlock()
		if known {
			break
		}
		if time.Now().After(until) {
			r.t.Fatalf("%d of %d lines are read after a minute", r.committed, r.want)
		}
	}
	if err := r.desk.Send(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// labCauses are what the truth says of why scores fell, by what it calls it.
var labCauses = map[string]string{"private block": "private", "neighbours": "neighbourhood", "spam run": "ip"}

// judge compares with the policies.
func (r *replay) judge() {
	policy := readLabPolicy(r.t)
	causes := map[labCell]string{} // by address or beginning of it, receiver or "*"; day it began
	start := time.Date(2025, 12, 20, 0, 0, 0, 0, time.UTC)
	eachLabRow(r.t, lab+"truth/truth-events.tsv.xz", func(col func(string) string) {
		for begins, cause := range labCauses {
			if days, err := time.ParseDuration(col("period_from") + "h"); err == nil && strings.HasPrefix(col("what"), begins) {
				causes[labCell{col("source_ip"), col("receiver"), start.AddDate(0, 0, int(days.Hours())).Format(time.DateOnly)}] = cause
			}
		}
	})
	known := map[string]bool{}
	for _, a := range r.told {
		for _, ip := range a.IPs {
			known[ip] = true
		}
	}
	var raised, right, again int
	falls := labFalls(r.t, policy, known)
	for _, c := range falls {
		list := r.about(c)
		if len(list) == 0 {
			r.t.Logf("not told: %v; the model: %v", c, r.known(c))
			continue
		}
		raised++
		again += len(list) - 1
		if cause := causeOf(causes, c); cause == list[len(list)-1].Cause || cause == list[0].Cause {
			right++
		} else {
			r.t.Logf("%v: told as %s, was %q", c, list[0].Cause, cause)
		}
	}
	all, false_ := 0, 0
	for _, a := range r.told {
		if a.Kind == "recovery" {
			continue
		}
		all++
		r.t.Logf("%s %-9s %-13s %d IPs, %d receivers: %s", a.at.Format(time.DateTime), a.Kind, a.Cause, len(a.IPs), len(a.Receivers), a.Subject)
		if !r.fell(policy, &a) {
			false_++
			r.t.Logf("no policy fell: %s %s", a.at.Format(time.DateTime), a.Subject)
		}
	}
	r.t.Logf("%d falls of 20 points and more, %d told, %d of them more than once, %d with the right cause; %d alerts of falls in 25 days, %d of them false", len(falls), raised, again, right, all, false_)
	if 10*raised < 8*len(falls) || 10*right < 6*raised || again > 3 || false_ > 3 {
		r.t.Error("alerts are not what they were")
	}
}

// about lists the alerts of a fall within four days: those that name the pair,
// and those of what it was later found to have in common with others.
func (r *replay) about(c labCell) (out []told) {
	from, err := time.ParseInLocation(time.DateOnly, c.day, r.now.Location())
	if err != nil {
		r.t.Fatal(err)
	}
	names := labNames(c.receiver)
	entities := map[string]bool{}
	for i := range r.changes {
		ch := &r.changes[i]
		if ch.Drop > 0 && ch.IP == c.ip && slices.Contains(names, ch.Receiver) && ch.Cause != inference.CausePrivate &&
			ch.Time.After(from.AddDate(0, 0, -1)) && ch.Time.Before(from.AddDate(0, 0, 2)) {
			entities[ch.Entity] = true
		}
	}
	for _, a := range r.told {
		of := entities[a.Entity] && a.at.After(from.AddDate(0, 0, -2)) // told when the first pairs fell
		named := a.at.After(from) && slices.Contains(a.IPs, c.ip) && slices.ContainsFunc(names, func(name string) bool { return slices.Contains(a.Receivers, name) })
		if a.Kind != "recovery" && a.at.Before(from.AddDate(0, 0, 4)) && (named || of) {
			out = append(out, a)
		}
	}
	return out
}

// known are the changes that the model has at a pair.
func (r *replay) known(c labCell) (out []string) {
	for i := range r.changes {
		if ch := &r.changes[i]; ch.IP == c.ip && slices.Contains(labNames(c.receiver), ch.Receiver) {
			out = append(out, fmt.Sprintf("%s %.0f by %s, noticed %s", ch.Time.Format(time.DateOnly), ch.Drop, ch.Cause, ch.Noticed.Format(time.DateTime)))
		}
	}
	return out
}

// causeOf is why a score fell on a day, by the truth.
func causeOf(causes map[labCell]string, c labCell) string {
	day, err := time.Parse(time.DateOnly, c.day)
	if err != nil {
		return ""
	}
	for e, cause := range causes {
		began, err := time.Parse(time.DateOnly, e.day)
		if err != nil || day.Before(began) || day.After(began.AddDate(0, 0, 2)) {
			continue
		}
		if strings.HasPrefix(c.ip, e.ip) && (e.receiver == "*" || e.receiver == c.receiver) {
			return cause
		}
	}
	return ""
}

// fell tells whether a policy treats one of an alert's pairs worse, by ten
// points, than it did in the week before.
func (r *replay) fell(policy map[labCell]labPolicy, a *told) bool {
	for c, p := range policy {
		day, err := time.ParseInLocation(time.DateOnly, c.day, r.now.Location())
		if err != nil || !slices.Contains(a.IPs, c.ip) && !pooled(a, c.ip) || day.After(a.at) || day.Before(a.at.AddDate(0, 0, -4)) ||
			!slices.ContainsFunc(labNames(c.receiver), func(name string) bool { return slices.Contains(a.Receivers, name) }) {
			continue
		}
		for back := 1; back <= 7; back++ {
			before := labCell{c.ip, c.receiver, day.AddDate(0, 0, -back).Format(time.DateOnly)}
			if b, ok := policy[before]; ok && b.treatment-p.treatment >= 10 {
				return true
			}
		}
	}
	return false
}

// pooled tells whether an alert is of the pool that an address takes turns in.
func pooled(a *told, ip string) bool {
	return slices.Contains(a.IPs, "cedar") && (ip == "192.0.2.15" || ip == "192.0.2.16")
}

// grown gives a log out as it grew.
type grown struct {
	parts []*bufio.Scanner
	next  string // read, of later
}

func openGrown(t *testing.T, parts []string) *grown {
	t.Helper()
	g := &grown{}
	for _, name := range parts {
		f, err := os.Open(lab + "stretched/" + name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(z)
		lines.Buffer(nil, 1<<20)
		g.parts = append(g.parts, lines)
	}
	return g
}

// copyUntil appends the lines up to a time to a file, and counts them.
func (g *grown) copyUntil(t *testing.T, path string, end time.Time) (n int64) {
	t.Helper()
	var out strings.Builder
	for len(g.parts) > 0 {
		if g.next == "" {
			if !g.parts[0].Scan() {
				g.parts = g.parts[1:]
				continue
			}
			g.next = g.parts[0].Text()
		}
		if stampOf(g.next, end).After(end) {
			break
		}
		out.WriteString(g.next + "\n")
		g.next = ""
		n++
	}
	if n == 0 {
		return 0
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(out.String()); err != nil {
		t.Fatal(err)
	}
	return n
}

// stampOf reads a stamp; the zero time where there is none.
func stampOf(line string, near time.Time) time.Time {
	if len(line) < 19 {
		return time.Time{}
	}
	if at, err := time.ParseInLocation(time.DateTime, line[:19], near.Location()); err == nil {
		return at
	}
	at, err := time.ParseInLocation("Jan _2 15:04:05", line[:15], near.Location())
	if err != nil {
		return time.Time{}
	}
	year := 2025
	if at.Month() == time.January {
		year = 2026
	}
	return at.AddDate(year, 0, 0)
}
