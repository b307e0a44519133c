package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// labReceivers are what we call the lab's receivers; others have one name.
var labReceivers = map[string][]string{
	"google": {"gmail", "google-apps"}, "microsoft": {"outlook"}, "o365": {"microsoft365"}, "ironport-corp": {"daiwa-kogyo.example"},
	"postgrey-isp": {"example.net"}, "flaky-host": {"lazy-host.example"},
}

func labNames(receiver string) []string {
	if names := labReceivers[receiver]; names != nil {
		return names
	}
	return []string{receiver}
}

// labCell is a sending IP at a receiver of the lab on one day.
type labCell struct{ ip, receiver, day string }

// labPolicy is what a receiver's policy made of a cell's mail.
type labPolicy struct {
	treatment, full float64 // without and with the spam folder, 0–100
	spam            float64 // share of accepted mail that was put there
	mail            int     // messages that the policy judged
	outage          bool
}

// readLabPolicy reads the policies' probabilities. They are asked one after
// the other: whether to drop the connection, to refuse, to defer; docomo asks
// whether to defer first.
func readLabPolicy(t *testing.T) map[labCell]labPolicy {
	t.Helper()
	cells := map[labCell]labPolicy{}
	eachLabRow(t, lab+"truth/truth.tsv.xz", func(col func(string) string) {
		number := func(name string) float64 {
			v, err := strconv.ParseFloat(col(name), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		temp, perm, drop := number("p_temp"), number("p_perm"), number("p_drop")
		if col("receiver") == "docomo" {
			perm *= 1 - temp
		} else {
			temp *= 1 - perm
		}
		p := labPolicy{spam: number("p_spam_of_accepted"), outage: number("outage_share") > 0}
		accepted := (1 - drop) * (1 - perm - temp)
		late := 0.5 * (drop + (1-drop)*temp)
		p.treatment, p.full = 100*(accepted+late), 100*(accepted*(1-0.75*p.spam)+late)
		for _, name := range []string{"n_temp", "n_perm", "n_drop", "n_accept", "n_spam"} {
			p.mail += int(number(name))
		}
		cells[labCell{col("source_ip"), col("receiver"), col("date")}] = p
	})
	return cells
}

// labScore is a row of `repute scores --daily --format json`.
type labScore struct {
	Day, IP, Receiver string
	Score, Lo, Hi     float64
	Unknown           bool
	Full              *float64
	FullLo            float64 `json:"full_lo"`
	FullHi            float64 `json:"full_hi"`
}

// labChange is a row of `repute changes --format json`.
type labChange struct {
	Since               time.Time
	IP, Receiver, Cause string
	Drop                float64
}

// labRun is where commands on the lab's logs run: a configuration, with the
// zone that the stamps don't tell, and a database.
type labRun struct{ config, db string }

func openLab(t *testing.T) labRun {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(lab + "repute.toml")
	if err != nil {
		t.Fatal(err)
	}
	l := labRun{filepath.Join(dir, "repute.toml"), filepath.Join(dir, "lab.duckdb")}
	if err := os.WriteFile(l.config, append(text, "\n[time]\nzone = \"Asia/Tokyo\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l labRun) args(args ...string) []string {
	return append(args, "--db", l.db, "--config", l.config)
}

// labCommand runs a command and reads its JSON lines.
func labCommand[T any](t *testing.T, l labRun, args ...string) (rows []T) {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(t.Context(), l.args(args...), nil, &out, &errs); status != 0 {
		t.Fatalf("%q: exit status %d: %s", args, status, errs.String())
	}
	for in := json.NewDecoder(&out); in.More(); {
		var row T
		if err := in.Decode(&row); err != nil {
			break // a command that prints words
		}
		rows = append(rows, row)
	}
	return rows
}

// TestLabScores compares scores and falls inferred from logs of real MTAs with
// the policies behind them, and with seeds the full score with the spam folder.
func TestLabScores(t *testing.T) {
	if _, err := os.Stat(lab); err != nil {
		t.Skip("no ../shared/lab/real-mta")
	}
	l := openLab(t)
	labCommand[any](t, l, "ingest", lab+"stretched/mail.log.gz", lab+"stretched/postfix-b", lab+"stretched/exim-a", lab+"stretched/exim-b")
	policy := readLabPolicy(t)
	scores := labCommand[labScore](t, l, "scores", "--daily", "--format", "json")
	coverLab(t, policy, scores)
	fallsLab(t, policy, labCommand[labChange](t, l, "changes", "--format", "json"))
	tiedLab(t, l, "seed", lab+"signals/seeds-stretched.tsv", 559)
	tiedLab(t, l, "arf", unpackLab(t, "signals/arf-stretched.tar.xz"), 45)
	foldersLab(t, policy, labCommand[labScore](t, l, "scores", "--daily", "--format", "json"))
}

// tiedLab imports signals and wants each of them tied to its message.
func tiedLab(t *testing.T, l labRun, kind, path string, n int) {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), l.args("signals", "import", kind, path), nil, &out, &errs)
	t.Log(out.String())
	if want := fmt.Sprintf("%d tied to a message, 0 to an address or domain, 0 to neither", n); status != 0 || !strings.Contains(out.String(), want) {
		t.Errorf("%s: exit status %d, want %s; %s", kind, status, want, errs.String())
	}
}

// eachLabScore pairs scores with the policies of their days.
func eachLabScore(policy map[labCell]labPolicy, scores []labScore, f func(receiver string, p *labPolicy, s *labScore)) {
	byName := map[labCell]*labScore{}
	for i := range scores {
		s := &scores[i]
		byName[labCell{s.IP, s.Receiver, s.Day}] = s
	}
	for c, p := range policy {
		if p.outage {
			continue
		}
		for _, name := range labNames(c.receiver) {
			if s := byName[labCell{c.ip, name, c.day}]; s != nil {
				f(c.receiver, &p, s)
			}
		}
	}
}

func coverLab(t *testing.T, policy map[labCell]labPolicy, scores []labScore) {
	t.Helper()
	var n, covered, unknown int
	var squares float64
	eachLabScore(policy, scores, func(_ string, p *labPolicy, s *labScore) {
		n++
		squares += (s.Score - p.treatment) * (s.Score - p.treatment)
		if s.Lo-0.5 <= p.treatment && p.treatment <= s.Hi+0.5 {
			covered++
		}
		if s.Unknown {
			unknown++
		}
	})
	t.Logf("%d pair-days: RMSE %.1f, the 80 %% interval holds the policy in %.3f, unknown %.2f",
		n, math.Sqrt(squares/float64(n)), float64(covered)/float64(n), float64(unknown)/float64(n))
	if n < 3000 || float64(covered) < 0.78*float64(n) {
		t.Error("the intervals are too narrow")
	}
}

// labFalls are the falls of a policy by 20 points and more from one day to the
// next, that last a day and that five messages show, of the addresses that are
// known from the log.
func labFalls(t *testing.T, policy map[labCell]labPolicy, known map[string]bool) (out []labCell) {
	t.Helper()
	for c, p := range policy {
		b1, ok1 := policy[c.later(t, -1)]
		b2, ok2 := policy[c.later(t, -2)]
		next, ok3 := policy[c.later(t, 1)]
		before := (b1.treatment + b2.treatment) / 2
		if !known[c.ip] || c.receiver == "flaky-host" || !ok1 || !ok2 || before-p.treatment < 20 || ok3 && before-next.treatment < 20 ||
			b2.treatment-b1.treatment >= 20 || p.mail+next.mail < 5 {
			continue
		}
		out = append(out, c)
	}
	return out
}

// later is the same pair some days later.
func (c labCell) later(t *testing.T, days int) labCell {
	t.Helper()
	d, err := time.Parse(time.DateOnly, c.day)
	if err != nil {
		t.Fatal(err)
	}
	c.day = d.AddDate(0, 0, days).Format(time.DateOnly)
	return c
}

// fallsLab looks for each fall of a policy.
func fallsLab(t *testing.T, policy map[labCell]labPolicy, changes []labChange) {
	t.Helper()
	known := map[string]bool{}
	for _, c := range changes {
		known[c.IP] = true
	}
	falls, found := labFalls(t, policy, known), 0
	var missed []labCell
	for _, c := range falls {
		if slices.ContainsFunc(changes, func(ch labChange) bool {
			from, to := c.later(t, -1).day, c.later(t, 1).day
			at := ch.Since.Format(time.DateOnly)
			return ch.IP == c.ip && slices.Contains(labNames(c.receiver), ch.Receiver) && ch.Drop > 0 && from <= at && at <= to
		}) {
			found++
		} else {
			missed = append(missed, c)
		}
	}
	t.Logf("%d of %d falls found with their day; missed: %v", found, len(falls), missed)
	if len(falls) < 25 || 10*found < 8*len(falls) {
		t.Error("too few falls found")
	}
}

// foldersLab compares the error of the full score with that of the SMTP view,
// where mail is put in the spam folder.
func foldersLab(t *testing.T, policy map[labCell]labPolicy, scores []labScore) {
	t.Helper()
	var n, all, covered int
	var smtp, full float64
	eachLabScore(policy, scores, func(_ string, p *labPolicy, s *labScore) {
		if s.Full == nil {
			return
		}
		all++
		if s.FullLo-0.5 <= p.full && p.full <= s.FullHi+0.5 {
			covered++
		}
		if p.spam > 0.05 {
			n++
			smtp += (s.Score - p.full) * (s.Score - p.full)
			full += (*s.Full - p.full) * (*s.Full - p.full)
		}
	})
	before, after := math.Sqrt(smtp/float64(n)), math.Sqrt(full/float64(n))
	t.Logf("%d pair-days with a folder: error of the SMTP view %.1f, of the full score %.1f (%+.0f %%); of %d the 80 %% interval holds %.3f",
		n, before, after, 100*(after/before-1), all, float64(covered)/float64(all))
	if n < 300 || after > 0.75*before || float64(covered) < 0.78*float64(all) {
		t.Error("the full score is not what it was")
	}
}
