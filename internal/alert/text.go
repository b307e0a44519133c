package alert

import (
	"strings"
	"time"

	"repute/reports"
	"repute/reports/words"
)

// mark begins each subject, so that a mailbox can sort alerts out.
const mark = "[repute] "

func subject(f *reports.Findings, c *reports.Change, list []*reports.Change, w *words.Words) string {
	key, interval := "alert.fell", ""
	if c.Drop < 0 {
		key = "alert.back"
	}
	if p := pairOf(f, c); p != nil && !p.Unknown {
		interval = w.Say("alert.interval", "lo", p.Lo, "hi", p.Hi)
	}
	one := w.Say(key, "receiver", c.Receiver.Name, "ip", c.IP, "before", c.Before, "after", c.After, "interval", interval)
	if len(list) > 1 {
		what := w.Say("alert.what", "cause", reports.CauseWord(w, c.Cause), "entity", c.Entity)
		if c.Drop < 0 {
			what = c.Receiver.Name
		}
		one = w.Say(key+"_many", "what", what, "n", len(list), "one", one)
	}
	return reports.Printable(mark + one)
}

// maxListed bounds the pairs that an alert names.
const maxListed = 10

// text is the alert's body: what is seen, why, and what to do first.
func text(f *reports.Findings, a *Alert, worst *reports.Change, list []*reports.Change, w *words.Words) string {
	b := body{Words: w}
	b.paragraph(worst.Sentence(w))
	head := "  " + w.Say("alert.h_score")
	for _, c := range list[:min(len(list), maxListed)] {
		b.row(head, w.Say("alert.score", "after", c.After, "before", c.Before, "ip", c.IP, "receiver", c.Receiver.Name))
		head = ""
	}
	if n := len(list) - maxListed; n > 0 {
		b.row("", w.Count("alert.more", n))
	}
	b.row("  "+w.Say("alert.h_since"), w.Say("alert.since", "since", w.Moment(a.Since), "zone", a.Since.Format("MST"), "noticed", w.Moment(a.Noticed)))
	if worst.Drop > 0 {
		for i := range f.Quotes {
			if q := &f.Quotes[i]; q.IP == worst.IP && q.Receiver.ID == worst.Receiver.ID {
				b.row("  "+w.Say("alert.h_seen"), w.Count("alert.seen", q.Count, "reply", q.Reply()))
				break
			}
		}
		cause := reports.CauseWord(w, a.Cause)
		if a.Cause != "private" { // its entity is the pair, which is named above
			cause = w.Say("alert.what", "cause", cause, "entity", a.Entity)
		}
		b.row("  "+w.Say("alert.h_cause"), w.Say("alert.cause", "cause", cause, "share", 100*worst.Confidence))
	}
	b.gap()
	if act := actionFor(f, worst); act != nil {
		head, advice := act.Words(w)
		b.row(w.Say("alert.h_do"), w.Say("alert.sentence", "text", head))
		b.row("", advice)
		if act.Link != "" {
			b.row(w.Say("alert.h_help"), act.Link)
		}
	}
	b.row(w.Say("alert.h_look"), "repute explain "+worst.IP+" "+worst.Receiver.ID)
	return b.String()
}

// body is a text that is being written: paragraphs, and rows with a heading.
type body struct {
	*words.Words
	strings.Builder
}

const headWidth = 13

func (b *body) paragraph(text string) { b.WriteString(reports.Printable(text) + "\n\n") }

func (b *body) row(head, text string) {
	b.WriteString(words.Pad(head, headWidth) + reports.Printable(text) + "\n")
}

func (b *body) gap() { b.WriteString("\n") }

// plain is the alert of what no receiver does: a subject, a text and what to
// do are at the key; look is the command that tells more.
func plain(w *words.Words, key, look string, args ...any) (subject, text string) {
	b := body{Words: w}
	b.paragraph(w.Say(key+".text", args...))
	b.row(w.Say("alert.h_do"), w.Say(key+".do", args...))
	b.row(w.Say("alert.h_look"), look)
	return reports.Printable(mark + w.Say(key+".subject", args...)), b.String()
}

// Silence is the alert of a log that no lines come from.
func Silence(since, now time.Time, w *words.Words) Alert {
	a := Alert{Kind: "silence", Thing: "silence", Since: since, Noticed: now, Recovered: since}
	a.Subject, a.Text = plain(w, "alert.silence", "repute db info", "since", w.Moment(since)+" "+since.Format("MST"))
	return a
}

// Coverage is the alert of lines that are no longer understood; shares are of
// the lines about mail.
func Coverage(path string, before, now float64, at time.Time, w *words.Words) Alert {
	a := Alert{Kind: "coverage", Thing: "coverage " + path, Since: at, Noticed: at}
	a.Subject, a.Text = plain(w, "alert.coverage", "repute doctor "+path, "log", path, "share", 100*now, "before", w.Decimal(100*before, 1))
	return a
}

// Test is the alert of `repute alert test`.
func Test(now time.Time, w *words.Words) Alert {
	return Alert{
		Kind: "test", Thing: "test " + now.Format(time.RFC3339Nano), Since: now, Noticed: now,
		Subject: mark + w.Say("alert.test.subject"), Text: w.Say("alert.test.text") + "\n",
	}
}
