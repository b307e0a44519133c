// Package alert tells people and programs when a score moves: it rolls up what
// has one cause, says it in words with the evidence and the first thing to do,
// and delivers it in order, tried again where it fails.
package alert

import (
	"slices"
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
func From(f *reports.Findings, since time.Time, w *words.Words) []Alert {
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
		out = append(out, compose(f, t, groups[t], w))
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
func compose(f *reports.Findings, thing string, list []*reports.Change, w *words.Words) Alert {
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
	a.Subject = subject(f, worst, list, w)
	a.Text = text(f, &a, worst, list, w)
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

func actionFor(f *reports.Findings, c *reports.Change) *reports.Action {
	for i := range f.Actions {
		act := &f.Actions[i]
		if c.Drop > 0 && (act.IP == c.IP && act.Receiver.ID == c.Receiver.ID || act.Entity != "" && act.Entity == c.Entity && act.Code == c.Cause) {
			return act
		}
	}
	return nil
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
