//go:build torture

package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"repute/internal/alert"
	"repute/internal/analysis"
	"repute/internal/config"
	"repute/internal/follow"
	"repute/internal/ingest"
	"repute/internal/store"
)

// TestTortureAlerts replays the real logs of ../shared day by day, as the
// follower would have read them, and lists the alerts of each day. Nothing is
// told in advance: each day's inference sees the log up to that day only.
func TestTortureAlerts(t *testing.T) {
	const real = "../../../shared/lab/real-mta/"
	if _, err := os.Stat(real); err != nil {
		t.Skip("no ../shared/lab/real-mta")
	}
	ctx, dir := t.Context(), t.TempDir()
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), env: func(string) string { return "" }, configPath: real + "repute.toml"}
	r, err := a.newReading()
	if err != nil {
		t.Fatal(err)
	}
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	r.cfg.Time = config.Time{Zone: config.Zone{Location: tokyo}}
	s, err := store.Open(ctx, filepath.Join(dir, "r.duckdb"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	now := time.Date(2025, 12, 19, 0, 0, 0, 0, tokyo)
	var told []alert.Alert
	desk := &alert.Desk{
		Rules: []config.Alert{{Name: "all", Command: []string{"x"}}}, Book: s, Log: a.log,
		Now: func() time.Time { return now },
		Way: func(*config.Alert, string) (alert.Way, error) { return keep{&told}, nil },
	}
	x := follow.NewAlerts(func() *alert.Desk { return desk }, nil, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	x.Now = desk.Now
	logs := map[string]*days{}
	for _, name := range []string{"mail.log.gz", "postfix-b/maillog.20261123-130452.gz", "postfix-b/maillog.gz", "exim-a/mainlog.gz", "exim-b/mainlog.gz"} {
		logs[name] = openDays(t, real+"stretched/"+name)
	}
	falls := 0
	for end := now; end.Before(now.AddDate(0, 0, 28)); end = end.AddDate(0, 0, 1) {
		var files []string
		for name, l := range logs {
			path := filepath.Join(dir, strings.NewReplacer("/", "-", ".gz", "").Replace(name))
			if l.copyDay(t, path, end) {
				files = append(files, path)
			}
		}
		if len(files) == 0 {
			continue
		}
		report, err := a.ingest(ctx, r, files, ingest.Options{Store: s, Key: []byte("k")})
		if err != nil && len(report.Files) == 0 {
			t.Fatal(err)
		}
		an, err := analysis.New(ctx, s.Lend(), r.rules, senderRules(&r.cfg), model(&r.cfg), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		result, err := an.Run(ctx, false)
		if err != nil {
			t.Fatal(err)
		}
		now = end.AddDate(0, 0, 1)
		x.Scored(ctx, an, &result)
		if err := desk.Send(ctx); err != nil {
			t.Fatal(err)
		}
		for _, one := range told {
			t.Logf("%s  %-9s %-13s %d pairs  %s", end.Format("Jan _2"), one.Kind, one.Cause, len(one.IPs)*len(one.Receivers), one.Subject)
			if one.Kind != "recovery" {
				falls++
			}
		}
		told = nil
	}
	if falls == 0 {
		t.Error("no alert of a fall")
	}
	t.Logf("%d alerts of falls", falls)
}

// keep is a way out that keeps what it is given.
type keep struct{ told *[]alert.Alert }

func (k keep) Deliver(_ context.Context, _ string, a *alert.Alert) error {
	*k.told = append(*k.told, *a)
	return nil
}

// days gives a log out day by day.
type days struct {
	lines *bufio.Scanner
	next  string // read, of a later day
}

func openDays(t *testing.T, path string) *days {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	d := &days{lines: bufio.NewScanner(z)}
	d.lines.Buffer(nil, 1<<20)
	return d
}

// copyDay appends the lines up to the end of the day to a file.
func (d *days) copyDay(t *testing.T, path string, day time.Time) bool {
	var out []string
	for {
		if d.next == "" {
			if !d.lines.Scan() {
				break
			}
			d.next = d.lines.Text()
		}
		if at := stampDay(d.next, day); at.After(day) {
			break
		}
		out = append(out, d.next+"\n")
		d.next = ""
	}
	if len(out) == 0 {
		return false
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(strings.Join(out, "")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// The file's time tells the year of stamps without one.
	if err := os.Chtimes(path, day, day.Add(23*time.Hour)); err != nil {
		t.Fatal(err)
	}
	return true
}

// stampDay reads a stamp's day; the zero time where there is none.
func stampDay(line string, near time.Time) time.Time {
	if len(line) < 10 {
		return time.Time{}
	}
	if at, err := time.ParseInLocation("2006-01-02", line[:10], near.Location()); err == nil {
		return at
	}
	at, err := time.ParseInLocation("Jan _2", line[:6], near.Location())
	if err != nil {
		return time.Time{}
	}
	year := 2025
	if at.Month() == time.January {
		year = 2026
	}
	return time.Date(year, at.Month(), at.Day(), 0, 0, 0, 0, near.Location())
}
