package reports

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"

	"repute/reports/words"
)

//go:embed assets/mail.html
var assets embed.FS

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
func NewMail(f *Findings, w *words.Words, o MailOptions) (*Mail, error) {
	m := &Mail{Subject: subject(f, w)}
	courses, _ := Courses(f, maxPictures)
	for _, t := range courses {
		if t.Main.Fall == nil {
			break
		}
		png, err := picture(t.Main, f)
		if err != nil {
			return nil, err
		}
		m.Pictures = append(m.Pictures, Picture{ID: "trend-" + fmt.Sprint(len(m.Pictures)+1), PNG: png, Alt: t.Describe(w), Name: t.Main.Receiver.Name})
	}
	v := &mailView{
		Findings: f, words: w, Lang: w.Lang, Serif: !w.Wide(), Name: f.Period.Name(w), Lead: Lead(f, w), Heat: NewHeat(f, mailIPs, mailReceivers),
		Pictures: m.Pictures, Attached: o.Attached,
	}
	t, err := template.New("mail.html").Funcs(Functions(w)).Funcs(template.FuncMap{"colour": shadeColour, "ink": shadeInk, "cid": cid}).ParseFS(assets, "assets/mail.html")
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
	words    *words.Words
	Lang     string
	Serif    bool // for headings: not beside wide letters
	Name     string
	Lead     []string
	Heat     Heat
	Pictures []Picture
	Attached string
}

// A mail is 600 points wide.
const mailReceivers, mailIPs = 6, 16

// cid is the address of an image in the same mail (RFC 2392).
func cid(id string) template.URL { return template.URL("cid:" + id) }

// subject says the gravest news, or that there is none.
func subject(f *Findings, w *words.Words) string {
	fell, first := 0, (*Pair)(nil)
	for i := range f.Pairs {
		if p := &f.Pairs[i]; p.Fall != nil && !p.Recovered {
			if first == nil {
				first = p
			}
			fell++
		}
	}
	key := "mail.quiet"
	var args []any
	switch {
	case len(f.Pairs) == 0:
		key = "mail.nothing"
	case fell > 0:
		key = "mail.fell"
		args = []any{"ip", Printable(first.IP), "receiver", Printable(first.Receiver.Name), "before", first.Fall.Before, "after", first.Fall.After, "n", fell - 1}
	}
	if fell > 1 {
		key = "mail.fell_more"
	}
	return w.Say("mail.subject", "period", PeriodID(f.Period), "news", w.Say(key, args...))
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
	w := v.words
	fmt.Fprintf(&b, "repute: %s\n\n%s\n", v.Name, w.Say("text.changed"))
	for i, s := range v.Lead {
		b.WriteString(words.Fold(fmt.Sprintf("%d. %s", i+1, Printable(s)), 76, "   "))
	}
	c := &v.Coverage
	fmt.Fprintf(&b, "\n%s\n", w.Say("text.coverage"))
	for _, row := range [][2]string{
		{w.Say("text.accepted"), w.Percent(c.Accepted, c.FirstOutcomes) + " %"},
		{w.Say("text.outcomes"), w.Say("text.outcomes_value", "n", c.FirstOutcomes, "messages", c.Messages)},
		{w.Say("text.pairs"), w.Say("text.pairs_value", "known", c.Known, "all", len(v.Pairs), "borrowed", c.Borrowed, "unknown", c.Unknown)},
		{w.Say("text.lines"), w.Decimal(c.Understood(), 2) + " %"},
	} {
		fmt.Fprintf(&b, "  %s %s\n", words.Pad(row[0], 24), row[1])
	}
	v.textHeat(&b)
	v.textQuotes(&b)
	if len(v.Actions) > 0 {
		fmt.Fprintf(&b, "\n%s\n", w.Say("text.todo"))
	}
	for i := range v.Actions[:min(len(v.Actions), 5)] {
		a := &v.Actions[i]
		head, text := a.Words(w)
		b.WriteString(words.Fold(fmt.Sprintf("%d. %s", i+1, Printable(head)), 76, "   "))
		b.WriteString(words.Fold("   "+Printable(text), 76, "   "))
		if a.Link != "" {
			fmt.Fprintf(&b, "   %s\n", Printable(a.Link))
		}
	}
	if v.Attached != "" {
		b.WriteString("\n" + words.Fold(w.Say("mail.attached", "name", v.Attached), 76, ""))
	}
	b.WriteString("\n--\n" + words.Fold(w.Say("mail.foot"), 76, "") + words.Fold(w.Say("mail.quiet_foot"), 76, ""))
	return b.String()
}

func (v *mailView) textHeat(b *strings.Builder) {
	if len(v.Heat.Rows) == 0 {
		return
	}
	w := v.words
	fmt.Fprintf(b, "\n%s\n%s", w.Say("text.scores", "last", v.Period.Last()), words.Pad(w.Say("text.ip"), 18))
	for _, r := range v.Heat.Receivers {
		b.WriteString(" " + words.PadLeft(words.Cut(Printable(r), 8), 8))
	}
	b.WriteByte('\n')
	for _, row := range v.Heat.Rows {
		b.WriteString(words.Pad(words.Cut(Printable(row.IP), 18), 18))
		for _, p := range row.Cells {
			fmt.Fprintf(b, " %8s", textCell(p))
		}
		b.WriteByte('\n')
	}
	if v.Heat.More > 0 {
		b.WriteString(w.Count("mail.more", v.Heat.More) + "\n")
	}
	b.WriteString(w.Say("text.key") + "\n")
}

func textCell(p *Pair) string {
	switch {
	case p == nil:
		return "-"
	case p.Fall != nil && !p.Recovered && !p.Unknown:
		return Number(p.Score) + "!"
	}
	return gistScore(p)
}

func (v *mailView) textQuotes(b *strings.Builder) {
	if len(v.Quotes) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", v.words.Say("text.answered"))
	for i := range v.Quotes[:min(len(v.Quotes), 5)] {
		q := &v.Quotes[i]
		fmt.Fprintf(b, "  %s\n", Printable(v.words.Say("text.to", "receiver", q.Receiver.Name, "ip", q.IP)))
		b.WriteString(words.Fold("  "+v.words.Number(q.Count)+" x "+Printable(words.Cut(q.Reply(), 300)), 76, "        "))
	}
}
