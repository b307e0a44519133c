package reports

import (
	"fmt"
	"math"
	"time"

	"repute/delivery"
	"repute/reports/words"
)

// ReasonWord names a reason.
func ReasonWord(w *words.Words, r delivery.Reason) string {
	if r == delivery.ReasonNone {
		return w.Say("reason.none")
	}
	return w.Say("reason." + r.String())
}

// CauseWord names a cause.
func CauseWord(w *words.Words, cause string) string { return w.Say("cause." + cause) }

// Sentence says a fall or a recovery in plain words, as it was noticed.
func (c *Change) Sentence(w *words.Words) string { return c.sentence(w, "", "") }

// sentence says beside by when it was noticed, and what the score is now.
func (c *Change) sentence(w *words.Words, by, now string) string {
	key := "change.worse"
	switch {
	case c.Drop < 0:
		key = "change.back"
	case c.After < 20:
		key = "change.refuses"
	case c.After < 50:
		key = "change.slows"
	case c.After < 80:
		key = "change.part"
	}
	return w.Say(key, "receiver", c.Receiver.Name, "ip", c.IP, "since", c.Since, "before", c.Before, "after", c.After, "by", by, "now", now, "because", c.because(w))
}

func (c *Change) because(w *words.Words) string {
	cause := c.Because(w)
	if cause == "" {
		return ""
	}
	key := "because.sure"
	if c.Confidence < sure {
		key = "because.likely"
	}
	return w.Say(key, "cause", cause)
}

// Because says a cause in plain words, "" for one that needs none.
func (c *Change) Because(w *words.Words) string {
	key := "because." + c.Cause
	if someIPs(c.Cause, c.Fell, c.Of) {
		key += "_some"
	}
	if !w.Has(key) {
		return ""
	}
	return w.Say(key, "entity", c.Entity, "where", fellWhere(w, c.Fell, c.Of), "fell", c.Fell, "of", c.Of)
}

// someIPs tells of a receiver that not all sending IPs fell at: what is said
// must not sound as if they had.
func someIPs(cause string, fell, of int) bool { return cause == "receiver" && fell < of }

// fellWhere says at how many receivers an IP fell; several, where they were
// not counted or one alone fell in the period.
func fellWhere(w *words.Words, fell, of int) string {
	if fell < 2 {
		return w.Say("because.several")
	}
	return w.Say("because.counted", "fell", fell, "of", of)
}

// From these confidences on a cause is stated plainly, or called high.
const sure, surest = 0.7, 0.9

// Confidence names how sure a cause is.
func Confidence(w *words.Words, p float64) string {
	switch {
	case p >= surest:
		return w.Say("confidence.high")
	case p >= sure:
		return w.Say("confidence.medium")
	}
	return w.Say("confidence.low")
}

// Words are an action's heading and text.
func (a *Action) Words(w *words.Words) (head, text string) {
	share := w.Decimal(100*a.Share, 0)
	if a.Share < 0.02 {
		share = w.Decimal(100*a.Share, 2)
	}
	args := []any{"receiver", a.Receiver.Name, "ip", a.IP, "entity", a.Entity, "share", share, "where", fellWhere(w, a.Fell, a.Of), "fell", a.Fell, "of", a.Of}
	key := "action." + a.Code
	if someIPs(a.Code, a.Fell, a.Of) {
		key += "_some"
	}
	head, text = w.Say(key+".head", args...), w.Say(key+".text", args...)
	if a.Better != "" {
		text += w.Say("action.better", "receiver", a.Receiver.Name, "ip", a.Better, "score", a.Score)
	}
	return head, text
}

// Delta prints a change against the week before: "~" inside the intervals, ""
// where there is nothing to compare with.
func (p *Pair) Delta() string {
	if p.Week == nil {
		return ""
	}
	d := math.Round(p.Score) - math.Round(p.Week.Before)
	if !p.Week.Clear || d == 0 {
		return "~"
	}
	return fmt.Sprintf("%+.0f", d)
}

// Number is a score as it is printed.
func Number(x float64) string { return fmt.Sprintf("%.0f", x) }

// Reply is a reply as a receiver gives it: code and text.
func (q *Quote) Reply() string {
	if q.Code == 0 {
		return q.Text
	}
	return fmt.Sprintf("%d %s", q.Code, q.Text)
}

// Lead is what changed, in three sentences at most.
func Lead(f *Findings, w *words.Words) []string {
	if len(f.Pairs) == 0 {
		return []string{w.Say("lead.empty")}
	}
	var out []string
	for _, c := range f.Told() {
		out = append(out, f.sentence(c, w))
	}
	if len(out) == 0 {
		out = append(out, w.Say("lead.none"))
	}
	return append(out, summary(f, w))
}

// Told are the changes that the lead speaks of: two at most, each of another
// cause.
func (f *Findings) Told() (out []*Change) {
	told := map[string]bool{}
	for i := range f.Changes { // falls first, the gravest before the others
		c := &f.Changes[i]
		key := c.Receiver.ID + c.IP
		if c.Cause != "private" {
			key = c.Cause + c.Entity
		}
		if len(out) < 2 && !told[key] && f.stands(c) {
			told[key] = true
			out = append(out, c)
		}
	}
	if len(out) == 0 && len(f.Changes) > 0 {
		out = append(out, &f.Changes[0])
	}
	return out
}

// sentence says a change with the days that its numbers are of: by when it was
// noticed, and the score at the period's end, which is the one in the map.
func (f *Findings) sentence(c *Change, w *words.Words) string {
	p := f.pairOf(c)
	if p == nil {
		return c.Sentence(w)
	}
	noticed, last, by := c.Noticed.Add(-1), f.Period.Last(), "" // at the end of an hour, which may be the day's
	if noticed.Before(last) && w.Day(noticed) != w.Day(c.Since) {
		by = w.Say("change.by", "noticed", noticed)
	}
	key := "change.now"
	switch {
	case p.Unknown:
		key = "change.now_unknown"
	case math.Round(p.Score) == math.Round(c.After):
		key = "change.now_same"
	}
	return c.sentence(w, by, w.Say(key, "last", last, "score", p.Score))
}

func (f *Findings) pairOf(c *Change) *Pair {
	for i := range f.Pairs {
		if p := &f.Pairs[i]; p.IP == c.IP && p.Receiver.ID == c.Receiver.ID {
			return p
		}
	}
	return nil
}

// stands tells whether a change is how things are now: not of a fall whose
// pair came back, or got too little mail since to say.
func (f *Findings) stands(c *Change) bool {
	p := f.pairOf(c)
	return p == nil || c.Drop <= 0 || !p.Unknown && !p.Recovered
}

// summary is the last sentence of the lead: how the other pairs are.
func summary(f *Findings, w *words.Words) string {
	steady, back := 0, 0
	for i := range f.Pairs {
		p := &f.Pairs[i]
		switch {
		case p.Unknown:
		case p.Fall == nil:
			steady++
		case p.Recovered:
			back++
		}
	}
	key := "lead.steady"
	if back > 0 {
		key += "_back"
	}
	if f.Coverage.Unknown > 0 {
		key += "_unknown"
	}
	return w.Say(key, "pairs", w.Count("count.pairs", len(f.Pairs)), "steady", steady, "back", back, "unknown", f.Coverage.Unknown)
}

// Name names a period as people do: a week by its number.
func (p Period) Name(w *words.Words) string {
	zone := p.From.Location().String()
	if p.week() {
		year, week := p.From.ISOWeek()
		return w.Say("date.week", "week", week, "year", fmt.Sprint(year), "from", p.From, "to", p.Last(), "zone", zone)
	}
	return w.Say("date.days", "from", w.Date(p.From), "to", w.Date(p.Last()), "zone", zone)
}

// week tells whether a period is a week from Monday to Sunday.
func (p Period) week() bool {
	return p.From.Weekday() == time.Monday && p.To.Equal(p.From.AddDate(0, 0, 7))
}

// PeriodID is a period in few characters: "2026-W47", "2026-11-02--2026-11-22".
func PeriodID(p Period) string {
	if p.week() {
		year, week := p.From.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return p.From.Format(time.DateOnly) + "--" + p.Last().Format(time.DateOnly)
}
