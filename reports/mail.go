package reports

import (
	"bytes"
	"fmt"
	"html/template"
	"strings"
	"time"
)

// Mail is a report as a mail carries it: complete without the page.
type Mail struct {
	Subject  string
	Text     string
	HTML     string // no script, no link to outside but help pages; styles inline
	Pictures []Picture
}

// Picture is an image that the HTML shows by its content id.
type Picture struct {
	ID   string
	PNG  []byte
	Alt  string
	Name string // of the receiver
}

// MailOptions say what goes with a mail.
type MailOptions struct {
	Attached string // name of the attached page, "" for none
}

// maxPictures is how many receivers have a trend in the mail: the worst.
const maxPictures = 3

// NewMail prints findings as a mail.
func NewMail(f *Findings, o MailOptions) (*Mail, error) {
	m := &Mail{Subject: subject(f)}
	for _, t := range newTrends(f) {
		if len(m.Pictures) == maxPictures || t.Main.Fall == nil {
			break
		}
		png, err := picture(t.Main, f)
		if err != nil {
			return nil, err
		}
		m.Pictures = append(m.Pictures, Picture{ID: "trend-" + fmt.Sprint(len(m.Pictures)+1), PNG: png, Alt: t.Describe, Name: t.Receiver.Name})
	}
	v := &mailView{Findings: f, Name: periodName(f.Period), Lead: lead(f), Heat: newHeat(f), Pictures: m.Pictures, Attached: o.Attached}
	v.Heat.narrow(mailReceivers, mailIPs)
	t, err := template.New("mail.html").Funcs(functions()).Funcs(template.FuncMap{"colour": shadeColour, "ink": shadeInk, "cid": cid}).ParseFS(assets, "assets/mail.html")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, err
	}
	m.HTML, m.Text = b.String(), v.text()
	return m, nil
}

// mailView is what the mail's template prints.
type mailView struct {
	*Findings
	Name     string
	Lead     []string
	Heat     heat
	Pictures []Picture
	Attached string
}

// A mail is 600 points wide.
const mailReceivers, mailIPs = 6, 16

// narrow keeps the first receivers and IPs.
func (h *heat) narrow(receivers, ips int) {
	if n := len(h.Rows) - ips; n > 0 {
		h.More += n
		h.Rows = h.Rows[:ips]
	}
	h.Receivers = h.Receivers[:min(len(h.Receivers), receivers)]
	for i := range h.Rows {
		h.Rows[i].Cells = h.Rows[i].Cells[:len(h.Receivers)]
	}
}

// cid is the address of an image in the same mail (RFC 2392).
func cid(id string) template.URL { return template.URL("cid:" + slug(id)) }

// periodName names a period as people do: a week by its number.
func periodName(p Period) string {
	days := fmt.Sprintf("%s to %s (%s)", p.From.Format("Mon 2 January"), p.Last().Format("Mon 2 January 2006"), p.From.Location())
	if p.From.Weekday() == time.Monday && p.To.Equal(p.From.AddDate(0, 0, 7)) {
		year, week := p.From.ISOWeek()
		return fmt.Sprintf("Week %d, %d: %s", week, year, days)
	}
	return days
}

// PeriodID is a period in few characters: "2026-W47", "2026-11-02--2026-11-22".
func PeriodID(p Period) string {
	if p.From.Weekday() == time.Monday && p.To.Equal(p.From.AddDate(0, 0, 7)) {
		year, week := p.From.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return p.From.Format(time.DateOnly) + "--" + p.Last().Format(time.DateOnly)
}

// subject says the gravest news, or that there is none.
func subject(f *Findings) string {
	s := "[repute] " + PeriodID(f.Period) + ": "
	fell, first := 0, (*Pair)(nil)
	for i := range f.Pairs {
		if p := &f.Pairs[i]; p.Fall != nil && !p.Recovered {
			if first == nil {
				first = p
			}
			fell++
		}
	}
	switch {
	case first == nil:
		return s + "no receiver treats any sending IP worse"
	case fell == 1:
		return s + fmt.Sprintf("%s at %s fell from %.0f to %.0f", Printable(first.IP), Printable(first.Receiver.Name), first.Fall.Before, first.Fall.After)
	}
	return s + fmt.Sprintf("%s at %s fell from %.0f to %.0f, %s more", Printable(first.IP), Printable(first.Receiver.Name), first.Fall.Before, first.Fall.After, thousands(int64(fell-1)))
}

// The colours of scores 0 to 100 in steps of five, those of the page.
var shades = [...]string{
	"#831528", "#921f29", "#a12a2a", "#b0342b", "#bc402e", "#c35035", "#cb603c", "#d27043", "#d9804b", "#e19052", "#e69f5d",
	"#e8ac70", "#ebb883", "#eec595", "#f0d2a8", "#f2debb", "#f1e7ce", "#eaeae2", "#e0e9ee", "#d1e1ed", "#c8dcec",
}

func shadeColour(score float64) template.CSS {
	return template.CSS(shades[min(max(int(score/5), 0), len(shades)-1)])
}

func shadeInk(score float64) template.CSS {
	if score < 30 {
		return "#ffffff"
	}
	return "#000000"
}

// text is the mail for those who read no HTML: 78 columns.
func (v *mailView) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "repute: %s\n\nWHAT CHANGED\n", v.Name)
	for i, s := range v.Lead {
		b.WriteString(fold(fmt.Sprintf("%d. %s", i+1, Printable(s)), 76, "   "))
	}
	c := &v.Coverage
	fmt.Fprintf(&b, "\nCOVERAGE\n  Accepted at first try    %s %%\n  First outcomes counted   %s of %s messages\n  Pairs with a score       %d of %d (%d borrowed, %d unknown)\n  Lines understood         %.2f %%\n",
		percent(c.Accepted, c.FirstOutcomes), thousands(c.FirstOutcomes), thousands(c.Messages), c.Known, len(v.Pairs), c.Borrowed, c.Unknown, c.Understood())
	v.textHeat(&b)
	v.textQuotes(&b)
	if len(v.Actions) > 0 {
		b.WriteString("\nWHAT TO DO, MOST VALUABLE FIRST\n")
	}
	for i := range v.Actions[:min(len(v.Actions), 5)] {
		a := &v.Actions[i]
		head, text := actionWords(a)
		b.WriteString(fold(fmt.Sprintf("%d. %s. %s", i+1, Printable(head), Printable(text)), 76, "   "))
		if a.Link != "" {
			fmt.Fprintf(&b, "   %s\n", Printable(a.Link))
		}
	}
	if v.Attached != "" {
		fmt.Fprintf(&b, "\nThe full report is attached (%s).\n", v.Attached)
	}
	b.WriteString("\n--\nEstimated from our own logs; no receiver publishes or confirms these numbers.\nA quiet week is sent too: no mail means that something is broken.\n")
	return b.String()
}

func (v *mailView) textHeat(b *strings.Builder) {
	b.WriteString("\nSCORES (0 to 100)\n" + pad("IP", 18))
	for _, r := range v.Heat.Receivers {
		fmt.Fprintf(b, " %8s", cut(Printable(r), 8))
	}
	b.WriteByte('\n')
	for _, row := range v.Heat.Rows {
		b.WriteString(pad(cut(Printable(row.IP), 18), 18))
		for _, p := range row.Cells {
			fmt.Fprintf(b, " %8s", textCell(p))
		}
		b.WriteByte('\n')
	}
	if v.Heat.More > 0 {
		fmt.Fprintf(b, "%d more IPs in the full report\n", v.Heat.More)
	}
	b.WriteString("! fell and not back   ? unknown, too little mail   b borrowed   - no mail\n")
}

func textCell(p *Pair) string {
	switch {
	case p == nil:
		return "-"
	case p.Fall != nil && !p.Recovered && !p.Unknown:
		return fmt.Sprintf("%.0f!", p.Score)
	}
	return gistScore(p)
}

func (v *mailView) textQuotes(b *strings.Builder) {
	if len(v.Quotes) == 0 {
		return
	}
	b.WriteString("\nWHAT THE RECEIVERS ANSWERED\n")
	for i := range v.Quotes[:min(len(v.Quotes), 5)] {
		q := &v.Quotes[i]
		fmt.Fprintf(b, "  %s to %s:\n", Printable(q.Receiver.Name), Printable(q.IP))
		b.WriteString(fold("  "+Printable(fmt.Sprintf("%s x %s", thousands(q.Count), cut(reply(q), 300))), 76, "        "))
	}
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-len([]rune(s)))) }

// fold breaks text into lines of at most width runes, the further ones
// indented.
func fold(text string, width int, indent string) string {
	var b strings.Builder
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line := lead
	for _, word := range strings.Fields(text) {
		if len([]rune(line))+1+len([]rune(word)) > width && strings.TrimSpace(line) != "" {
			b.WriteString(line + "\n")
			line = indent + word
			continue
		}
		if strings.TrimSpace(line) != "" {
			line += " "
		}
		line += word
	}
	return b.String() + line + "\n"
}
