package reports

import (
	"fmt"
	"io"
	"strings"

	"repute/reports/words"
)

const gistRows = 8

// Gist prints about twenty lines for a terminal: what was read, what fell,
// what to do.
func Gist(out io.Writer, f *Findings, w *words.Words) error {
	var b strings.Builder
	c := &f.Coverage
	b.WriteString(w.Say("gist.read", "files", w.Count("count.files", len(c.Files)), "lines", c.Lines, "messages", c.Messages,
		"from", w.Date(f.Period.From), "to", w.Date(f.Period.Last()), "zone", f.Period.Last().Format("MST")) + "\n")
	b.WriteString(w.Say("gist.understood", "share", w.Decimal(c.Understood(), 2)))
	if n := c.NotUnderstood + c.Oversize; n > 0 {
		b.WriteString(w.Say("gist.missed", "n", n))
	}
	b.WriteString("\n\n")
	gistPairs(&b, f, w)
	gistActions(&b, f, w)
	foot := w.Say("gist.foot")
	if n := len(f.Seen()); n > 0 {
		foot = w.Say("gist.foot_full", "n", n, "all", c.Receivers)
	}
	b.WriteString("\n" + foot + "\n")
	_, err := io.WriteString(out, b.String())
	return err
}

func gistPairs(b *strings.Builder, f *Findings, w *words.Words) {
	row := func(receiver, ip, score, interval, fell, since, cause string) {
		fmt.Fprintf(b, "  %s %s %s  %s  %s  %s  %s\n", words.Pad(words.Cut(receiver, 18), 18), words.Pad(words.Cut(ip, 15), 15),
			words.PadLeft(score, 6), words.Pad(interval, 6), words.Pad(fell, 9), words.Pad(since, 6), cause)
	}
	fmt.Fprintf(b, "  %s\n", w.Say("gist.compared", "last", f.Period.Last()))
	row(w.Say("gist.receiver"), w.Say("gist.ip"), w.Say("gist.score"), "80 %", w.Say("gist.fell"), w.Say("gist.since"), w.Say("gist.cause"))
	shown := 0
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.Fall == nil || shown == gistRows {
			break
		}
		shown++
		cause := CauseWord(w, p.Fall.Cause)
		if p.Recovered {
			cause = w.Say("gist.back", "cause", cause)
		}
		row(Printable(p.Receiver.Name), Printable(p.IP), gistScore(p), Number(p.Lo)+"-"+Number(p.Hi),
			w.Say("gist.fell_from", "before", p.Fall.Before, "after", p.Fall.After), w.Short(p.Fall.Since), cause)
	}
	rest, unknown, low, high := 0, 0, 100.0, 0.0
	for i := range f.Pairs[shown:] {
		if p := &f.Pairs[shown+i]; p.Unknown {
			unknown++
		} else {
			rest++
			low, high = min(low, p.Score), max(high, p.Score)
		}
	}
	var tail []string
	if rest > 0 {
		key := "gist.rest"
		if shown < gistRows {
			key = "gist.rest_quiet"
		}
		tail = append(tail, w.Say(key, "pairs", w.Count("count.other_pairs", rest), "lo", low, "hi", high))
	}
	if unknown > 0 {
		tail = append(tail, w.Say("gist.unknown", "pairs", w.Count("count.other_pairs", unknown)))
	}
	fmt.Fprintf(b, "  %s\n", strings.Join(tail, " "))
}

func gistScore(p *Pair) string {
	switch {
	case p.Unknown:
		return "?"
	case p.Borrowed:
		return Number(p.Score) + "b"
	}
	return Number(p.Score)
}

func gistActions(b *strings.Builder, f *Findings, w *words.Words) {
	for i := range f.Actions[:min(len(f.Actions), 3)] {
		a := &f.Actions[i]
		head, _ := a.Words(w)
		fmt.Fprintf(b, "\n  %d. %s\n", i+1, Printable(head))
		if q := a.Quote; q != nil {
			fmt.Fprintf(b, "     %s\n", words.Cut(w.Number(q.Count)+" x "+Printable(q.Reply()), 74))
		}
	}
}
