// Package alert tells people and programs when a score moves: it rolls up what
// has one cause, says it in words with the evidence and the first thing to do,
// and delivers it in order, tried again where it fails.
package alert

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"repute/delivery"
	"repute/internal/config"
	"repute/reports"
	"repute/reports/words"
)

// Alert is one thing to tell.
type Alert struct {
	Kind      string    `json:"kind"` // of config.AlertKinds
	Thing     string    `json:"thing"`
	Subject   string    `json:"subject"`
	Text      string    `json:"text"`
	Since     time.Time `json:"since"`
	Noticed   time.Time `json:"noticed"`
	Cause     string    `json:"cause,omitempty"`
	Entity    string    `json:"entity,omitempty"`
	IPs       []string  `json:"ips,omitempty"`
	Receivers []string  `json:"receivers,omitempty"`
	Before    float64   `json:"before,omitempty"` // of the gravest
	After     float64   `json:"after,omitempty"`

	// Recovered is when the thing was last well again before; zero if never.
	Recovered time.Time `json:"-"`
	// Doubtful alerts are those that can be chance: false_alarms bounds them.
	Doubtful bool `json:"-"`
}

// sureDrop is the fall, in points, from which on an alert is not doubtful.
const sureDrop = 20

// From rolls up the changes of findings that were noticed since then: one
// alert for each cause.
func From(f *reports.Findings, since time.Time) []Alert {
	groups := map[string][]*reports.Change{}
	var order []string
	for i := range f.Changes { // gravest first
		c := &f.Changes[i]
		if c.Noticed.Before(since) || c.Drop > 0 && isBack(f, c) {
			continue
		}
		t := thing(c)
		if groups[t] == nil {
			order = append(order, t)
		}
		groups[t] = append(groups[t], c)
	}
	var out []Alert
	for _, t := range order {
		out = append(out, compose(f, t, groups[t]))
	}
	slices.SortStableFunc(out, func(x, y Alert) int { return x.Noticed.Compare(y.Noticed) })
	return out
}

// thing names what changes have in common, so that it is told once.
func thing(c *reports.Change) string {
	switch {
	case c.Drop < 0:
		return "recovery " + c.Receiver.ID
	case c.Cause == "private" || c.Entity == "":
		return "fall " + c.IP + " at " + c.Receiver.ID
	}
	return "fall " + c.Cause + " " + c.Entity
}

// isBack tells whether a fall is over.
func isBack(f *reports.Findings, c *reports.Change) bool {
	p := pairOf(f, c)
	return p != nil && p.Recovered
}

func pairOf(f *reports.Findings, c *reports.Change) *reports.Pair {
	i := slices.IndexFunc(f.Pairs, func(p reports.Pair) bool { return p.IP == c.IP && p.Receiver.ID == c.Receiver.ID })
	if i < 0 {
		return nil
	}
	return &f.Pairs[i]
}

// compose makes one alert of changes with one cause, the gravest first.
func compose(f *reports.Findings, thing string, list []*reports.Change) Alert {
	worst := list[0]
	a := Alert{
		Thing: thing, Since: worst.Since, Noticed: worst.Noticed, Cause: worst.Cause, Entity: worst.Entity,
		Before: worst.Before, After: worst.After, Kind: kind(f, worst), Doubtful: worst.Drop > 0 && worst.Drop < sureDrop,
	}
	for _, c := range list {
		if !slices.Contains(a.IPs, c.IP) {
			a.IPs = append(a.IPs, c.IP)
		}
		if !slices.Contains(a.Receivers, c.Receiver.ID) {
			a.Receivers = append(a.Receivers, c.Receiver.ID)
		}
		if c.Since.Before(a.Since) {
			a.Since = c.Since
		}
		if c.Noticed.After(a.Noticed) {
			a.Noticed = c.Noticed
		}
	}
	for i := range f.Changes {
		c := &f.Changes[i]
		if c.Drop < 0 && slices.Contains(a.IPs, c.IP) && slices.Contains(a.Receivers, c.Receiver.ID) && c.Noticed.Before(a.Noticed) && c.Noticed.After(a.Recovered) {
			a.Recovered = c.Noticed
		}
	}
	a.Subject = subject(f, worst, list)
	a.Text = text(f, &a, worst, list)
	return a
}

func kind(f *reports.Findings, c *reports.Change) string {
	p := pairOf(f, c)
	switch {
	case c.Drop < 0:
		return "recovery"
	case p != nil && p.Reason == delivery.Blocklist:
		return "blocklist"
	case c.After < 20:
		return "block"
	}
	return "fall"
}

func subject(f *reports.Findings, c *reports.Change, list []*reports.Change) string {
	verb, interval := "fell", ""
	if c.Drop < 0 {
		verb = "came back"
	}
	if p := pairOf(f, c); p != nil && !p.Unknown {
		interval = fmt.Sprintf(" (%.0f-%.0f)", p.Lo, p.Hi)
	}
	one := fmt.Sprintf("%s: %s %s from %.0f to %.0f%s", c.Receiver.Name, c.IP, verb, c.Before, c.After, interval)
	if len(list) > 1 {
		what := c.Cause + " " + c.Entity
		if c.Drop < 0 {
			what = c.Receiver.Name
		}
		one = fmt.Sprintf("%s: %d scores %s, most at %s", what, len(list), verb, one)
	}
	return reports.Printable("[repute] " + one)
}

// maxListed bounds the pairs that an alert names.
const maxListed = 10

// text is the alert's body: what is seen, why, and what to do first.
func text(f *reports.Findings, a *Alert, worst *reports.Change, list []*reports.Change) string {
	var b strings.Builder
	row := func(head, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", head, reports.Printable(fmt.Sprintf(format, args...)))
	}
	if worst.Drop > 0 {
		fmt.Fprintf(&b, "%s\n\n", reports.Printable(worst.Sentence(words.English())))
	} else {
		fmt.Fprintf(&b, "%s takes mail from %s again.\n\n", reports.Printable(worst.Receiver.Name), reports.Printable(worst.IP))
	}
	for i, c := range list[:min(len(list), maxListed)] {
		head := ""
		if i == 0 {
			head = "  Score"
		}
		row(head, "%.0f, was %.0f: %s at %s", c.After, c.Before, c.IP, c.Receiver.Name)
	}
	if n := len(list) - maxListed; n > 0 {
		row("", "and %d more", n)
	}
	row("  Since", "%s (noticed %s)", a.Since.Format("Mon 2 Jan 15:04 MST"), a.Noticed.Format("Mon 2 Jan 15:04"))
	for i := range f.Quotes {
		if q := &f.Quotes[i]; worst.Drop > 0 && q.IP == worst.IP && q.Receiver.ID == worst.Receiver.ID {
			row("  Seen", "%d first outcomes: %d %s", q.Count, q.Code, q.Text)
			break
		}
	}
	if worst.Drop > 0 {
		row("  Cause", "%s %s, confidence %.0f %%", a.Cause, a.Entity, 100*worst.Confidence)
	}
	b.WriteString("\n")
	if act := actionFor(f, worst); act != nil {
		head, advice := act.Words(words.English())
		row("Do now", "%s.", head)
		row("", "%s", advice)
		if act.Link != "" {
			row("Help", "%s", act.Link)
		}
	}
	row("Look", "repute explain %s %s", worst.IP, worst.Receiver.ID)
	return b.String()
}

func actionFor(f *reports.Findings, c *reports.Change) *reports.Action {
	for i := range f.Actions {
		act := &f.Actions[i]
		if c.Drop > 0 && (act.IP == c.IP && act.Receiver.ID == c.Receiver.ID || act.Entity != "" && act.Entity == c.Entity && act.Code == c.Cause) {
			return act
		}
	}
	return nil
}

// Silence is the alert of a log that no lines come from.
func Silence(since, now time.Time) Alert {
	return Alert{
		Kind: "silence", Thing: "silence", Since: since, Noticed: now, Recovered: since,
		Subject: "[repute] no log lines since " + since.Format("Mon 2 Jan 15:04 MST"),
		Text: fmt.Sprintf("No line came since %s, longer than is usual at this hour.\nEither no mail is sent, or it is no longer logged where repute reads.\n\nDo now       Look whether the mail system and the log daemon run and whether the log's path is the same.\nLook         repute db info\n",
			since.Format("Mon 2 Jan 15:04 MST")),
	}
}

// Coverage is the alert of lines that are no longer understood; shares are of
// the lines about mail.
func Coverage(path string, before, now float64, at time.Time) Alert {
	return Alert{
		Kind: "coverage", Thing: "coverage " + path, Since: at, Noticed: at,
		Subject: reports.Printable(fmt.Sprintf("[repute] %s: %.0f %% of the lines are not understood", path, 100*now)),
		Text: reports.Printable(fmt.Sprintf("Of the lines about mail in %s, %.1f %% were not understood in the last hour, before %.1f %%.", path, 100*now, 100*before)) +
			"\nScores rest on less evidence than they could. A new version or another log format of the mail system is the usual cause.\n\nLook         repute doctor " + reports.Printable(path) + "\n",
	}
}

// Test is the alert of `repute alert test`.
func Test(now time.Time) Alert {
	return Alert{
		Kind: "test", Thing: "test " + now.Format(time.RFC3339Nano), Since: now, Noticed: now,
		Subject: "[repute] test alert",
		Text:    "This is a test. An alert has the evidence and the first thing to do here.\n",
	}
}

// wanted tells whether a rule is about an alert.
func wanted(rule *config.Alert, a *Alert) bool {
	if len(rule.On) > 0 && !slices.Contains(rule.On, a.Kind) {
		return false
	}
	if len(a.IPs) == 0 {
		return true // silence: of everything
	}
	ip := len(rule.IPs) == 0 || slices.ContainsFunc(a.IPs, func(ip string) bool { return inAny(rule, ip) })
	return ip && (len(rule.Receivers) == 0 || slices.ContainsFunc(a.Receivers, func(r string) bool { return slices.Contains(rule.Receivers, r) }))
}
