package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"repute/internal/config"
	"repute/internal/store"
	"repute/reports/words"
)

// Book keeps alerts; each call is durable when it returns.
type Book interface {
	Alerts(ctx context.Context) ([]store.Alert, error)
	PutAlerts(ctx context.Context, list ...store.Alert) error
}

// Desk decides who is told of an alert, and tells them.
type Desk struct {
	Rules []config.Alert
	Book  Book
	// Way returns what delivers for a rule: "mail", "webhook", "command".
	Way func(rule *config.Alert, way string) (Way, error)
	Now func() time.Time // in the zone of the quiet hours
	Log *slog.Logger
}

// Way delivers an alert. A *RefusedError means that it never will.
type Way interface {
	Deliver(ctx context.Context, id string, a *Alert) error
}

// RefusedError tells that the other side will never take this alert.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// An alert's states.
const (
	queued = "queued"
	sent   = "sent"
	failed = "failed"
)

const (
	// refractory is how long the same thing is not told again by default.
	refractory = 10 * 24 * time.Hour
	// maxAge is how long an alert is tried: later it is history.
	maxAge = 24 * time.Hour
	week   = 7 * 24 * time.Hour
)

func inAny(rule *config.Alert, ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(rule.IPs, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Name is how a rule is told of; i counts from 0.
func Name(rule *config.Alert, i int) string {
	if rule.Name != "" {
		return rule.Name
	}
	return fmt.Sprintf("alert[%d]", i+1)
}

// Words are those of a rule's language.
func Words(rule *config.Alert) (*words.Words, error) { return words.For(cmp.Or(rule.Lang, "en")) }

// Ways are the ways out of a rule.
func Ways(rule *config.Alert) []string {
	var out []string
	if len(rule.Mail) > 0 {
		out = append(out, "mail")
	}
	if rule.Webhook != "" {
		out = append(out, "webhook")
	}
	if len(rule.Command) > 0 {
		out = append(out, "command")
	}
	return out
}

// Raise books alerts for everybody who wants to know and was not told of the
// same thing lately; say says them in a language. It delivers nothing.
func (d *Desk) Raise(ctx context.Context, say func(*words.Words) []Alert) error {
	known, err := d.Book.Alerts(ctx)
	if err != nil {
		return err
	}
	var rows []store.Alert
	said := map[string][]Alert{} // by language
	for j := range d.Rules {
		rule, name := &d.Rules[j], Name(&d.Rules[j], j)
		if said[rule.Lang] == nil {
			w, err := Words(rule)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			said[rule.Lang] = say(w)
		}
		for i := range said[rule.Lang] {
			a := &said[rule.Lang][i]
			if !wanted(rule, a) || d.told(rule, name, known, a) {
				continue
			}
			body, err := json.Marshal(a)
			if err != nil {
				return err
			}
			for _, way := range Ways(rule) {
				sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d", name, way, a.Thing, a.Noticed.UnixMicro()))
				row := store.Alert{
					ID: hex.EncodeToString(sum[:12]), Rule: name, Way: way, Thing: a.Thing, State: queued, Doubtful: a.Doubtful,
					Noticed: a.Noticed, Created: d.Now(), Next: d.Now(), Body: string(body),
				}
				rows, known = append(rows, row), append(known, row)
			}
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return d.Book.PutAlerts(ctx, rows...)
}

// told tells whether a rule is to be spared an alert: it had one about the
// same thing lately, or enough that may be chance.
func (d *Desk) told(rule *config.Alert, name string, known []store.Alert, a *Alert) bool {
	wait := rule.Refractory.Duration
	if wait == 0 {
		wait = refractory
	}
	if a.Kind == "recovery" {
		wait = min(wait, 24*time.Hour)
	}
	span, most := week, rule.FalseAlarms
	if most > 0 && most < 1 { // one in two weeks is 0.5 a week
		span, most = time.Duration(float64(week)/most), 1
	}
	doubtful := map[string]bool{}
	for i := range known {
		k := &known[i]
		if k.Rule != name {
			continue
		}
		if k.Thing == a.Thing && (k.Noticed.Equal(a.Noticed) || a.Noticed.Sub(k.Noticed) < wait && !a.Recovered.After(k.Noticed)) {
			return true
		}
		if k.Doubtful && d.Now().Sub(k.Created) < span {
			doubtful[k.Thing] = true
		}
	}
	return a.Doubtful && most > 0 && float64(len(doubtful)) >= most
}

// Send delivers what is due, each way in order: an alert waits for the one
// before it.
func (d *Desk) Send(ctx context.Context) error {
	rows, err := d.Book.Alerts(ctx)
	if err != nil {
		return err
	}
	held := map[string]bool{}
	for i := range rows {
		r := &rows[i]
		if r.State != queued || held[r.Rule+"\x00"+r.Way] {
			continue
		}
		j := slices.IndexFunc(d.Rules, func(c config.Alert) bool { return c.Name == r.Rule && c.Name != "" })
		for n := range d.Rules {
			if j < 0 && Name(&d.Rules[n], n) == r.Rule {
				j = n
			}
		}
		if j >= 0 && (r.Next.After(d.Now()) || d.Rules[j].Quiet.Contains(d.Now())) {
			held[r.Rule+"\x00"+r.Way] = true
			continue
		}
		var rule *config.Alert
		if j >= 0 {
			rule = &d.Rules[j]
		}
		if err := d.try(ctx, rule, r); err != nil {
			return err
		}
		held[r.Rule+"\x00"+r.Way] = r.State == queued
	}
	return nil
}

// try delivers one alert. The try is booked first: a crash in the middle
// counts as one, and the other side knows a second delivery by its id.
func (d *Desk) try(ctx context.Context, rule *config.Alert, r *store.Alert) error {
	r.Tries++
	r.Next, r.Error = d.Now().Add(backOff(r.Tries)), "interrupted while sending"
	if err := d.Book.PutAlerts(ctx, *r); err != nil {
		return err
	}
	err := d.deliver(ctx, rule, r)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	_, refused := errors.AsType[*RefusedError](err)
	switch {
	case err == nil:
		r.State, r.Error = sent, ""
		d.Log.Info("alert sent", "alert", r.Rule, "way", r.Way, "about", r.Thing, "tries", r.Tries)
	case refused || d.Now().Sub(r.Created) > maxAge:
		r.State, r.Error = failed, err.Error()
		d.Log.Error("alert failed", "alert", r.Rule, "way", r.Way, "about", r.Thing, "tries", r.Tries, "why", err)
	default:
		r.Error = err.Error()
		d.Log.Warn("alert waits", "alert", r.Rule, "way", r.Way, "about", r.Thing, "next", r.Next, "why", err)
	}
	return d.Book.PutAlerts(context.WithoutCancel(ctx), *r)
}

func (d *Desk) deliver(ctx context.Context, rule *config.Alert, r *store.Alert) error {
	if rule == nil {
		return &RefusedError{errors.New("its [[alert]] entry is no longer configured")}
	}
	var a Alert
	if err := json.Unmarshal([]byte(r.Body), &a); err != nil {
		return &RefusedError{err}
	}
	way, err := d.Way(rule, r.Way)
	if err != nil {
		return err
	}
	return way.Deliver(ctx, r.ID, &a)
}

// backOff is how long to wait after the n-th try: 10 s, doubled up to an hour.
func backOff(n int) time.Duration { return min(10*time.Second<<min(n-1, 10), time.Hour) }
