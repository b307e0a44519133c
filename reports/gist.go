package reports

import (
	"fmt"
	"io"
	"strings"
)

const gistRows = 8

// Gist prints about twenty lines for a terminal: what was read, what fell,
// what to do.
func Gist(w io.Writer, f *Findings) error {
	var b strings.Builder
	c := &f.Coverage
	fmt.Fprintf(&b, "%s, %s lines, %s messages, %s to %s\n", plural(len(c.Files), "file", "files"), thousands(c.Lines),
		thousands(c.Messages), f.Period.From.Format("2 Jan 2006"), f.Period.To.AddDate(0, 0, -1).Format("2 Jan 2006 MST"))
	fmt.Fprintf(&b, "%.2f %% of lines understood", c.Understood())
	if n := c.NotUnderstood + c.Oversize; n > 0 {
		fmt.Fprintf(&b, " (%s not: repute doctor)", thousands(n))
	}
	b.WriteString("\n\n")
	gistPairs(&b, f)
	gistActions(&b, f)
	b.WriteString("\nSpam folder not visible in logs (SMTP view). b = borrowed, ~ = no clear change.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func gistPairs(b *strings.Builder, f *Findings) {
	fmt.Fprintf(b, "  %-18s %-16s %5s  %-7s %6s  %s\n", "RECEIVER", "SENDING IP", "SCORE", "80 %", "CHANGE", "CAUSE")
	shown := 0
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.Fall == nil || shown == gistRows {
			break
		}
		shown++
		cause := fmt.Sprintf("%s, since %s", causeWord(p.Fall.Cause), day(p.Fall.Since))
		if p.Recovered {
			cause += ", back since"
		}
		fmt.Fprintf(b, "  %-18s %-16s %5s  %-7s %6s  %s\n", cut(Printable(p.Receiver.Name), 18), cut(Printable(p.IP), 16),
			gistScore(p), fmt.Sprintf("%.0f-%.0f", p.Lo, p.Hi), fmt.Sprintf("%+.0f", -p.Fall.Drop), cause)
	}
	rest, low, high := 0, 100.0, 0.0
	for i := range f.Pairs {
		if p := &f.Pairs[i]; i >= shown && !p.Unknown {
			rest++
			low, high = min(low, p.Score), max(high, p.Score)
		}
	}
	if rest > 0 {
		fmt.Fprintf(b, "  %s %.0f-%.0f", plural(rest, "other pair", "other pairs"), low, high)
		if shown < gistRows {
			b.WriteString(", no fall")
		}
		b.WriteString(". ")
	}
	if c := f.Coverage.Unknown; c > 0 {
		fmt.Fprintf(b, "%s unknown: too little evidence.", plural(c, "pair", "pairs"))
	}
	b.WriteString("\n")
}

func gistScore(p *Pair) string {
	switch {
	case p.Unknown:
		return "?"
	case p.Borrowed:
		return fmt.Sprintf("%.0fb", p.Score)
	}
	return fmt.Sprintf("%.0f", p.Score)
}

func gistActions(b *strings.Builder, f *Findings) {
	for i := range f.Actions[:min(len(f.Actions), 3)] {
		a := &f.Actions[i]
		head, _ := actionWords(a)
		fmt.Fprintf(b, "\n  %d. %s\n", i+1, Printable(head))
		if q := a.Quote; q != nil {
			fmt.Fprintf(b, "     %s\n", cut(Printable(fmt.Sprintf("%s x %s", thousands(q.Count), reply(q))), 74))
		}
	}
}

// reply is a reply as a receiver gives it: code and text.
func reply(q *Quote) string {
	if q.Code == 0 {
		return q.Text
	}
	return fmt.Sprintf("%d %s", q.Code, q.Text)
}

// cut shortens s to n runes.
func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
