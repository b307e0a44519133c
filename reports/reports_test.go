package reports_test

import (
	"bytes"
	"flag"
	"fmt"
	"image/png"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"repute/delivery"
	"repute/reports"
	"repute/reports/fixture"
	"repute/reports/words"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite it with -update):\n%s", path, got)
	}
}

// each runs a test in every language there is.
func each(t *testing.T, test func(t *testing.T, w *words.Words)) {
	for _, lang := range words.Languages() {
		t.Run(lang, func(t *testing.T) {
			w, err := words.For(lang)
			if err != nil {
				t.Fatal(err)
			}
			test(t, w)
		})
	}
}

// unsaid fails where a key has no words: it is printed in brackets.
func unsaid(t *testing.T, text string) {
	t.Helper()
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r <= ' ' || r == '<' || r == '>' || r == '"' }) {
		if key := strings.Trim(word, "[].,;:()"); strings.HasPrefix(word, "[") && strings.Contains(key, ".") && !strings.ContainsAny(key, "[]…") {
			t.Errorf("%q is not in the catalogue", word)
		}
	}
	if strings.Contains(text, "{") && strings.Contains(text, "}") {
		t.Errorf("a name was not filled in: %s", text[strings.Index(text, "{"):strings.Index(text, "}")+1])
	}
}

func TestGist(t *testing.T) {
	each(t, func(t *testing.T, w *words.Words) {
		var b bytes.Buffer
		if err := reports.Gist(&b, fixture.Story(""), w); err != nil {
			t.Fatal(err)
		}
		golden(t, "gist."+w.Lang+".txt", b.Bytes())
		unsaid(t, b.String())
		if n := strings.Count(b.String(), "\n"); n > 25 {
			t.Errorf("%d lines", n)
		}
		// A reader adds no column up: before and after of the fall stand there,
		// and of when the score is.
		last := w.Day(fixture.Story("").Period.Last())
		for _, want := range []string{w.Say("gist.fell_from", "before", 92, "after", 34), w.Say("gist.compared", "last", last)} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("it does not say %q", want)
			}
		}
		if n := words.Width("  " + w.Say("gist.compared", "last", last)); n > 80 {
			t.Errorf("%d columns", n)
		}
	})
}

func explanation(text string) *reports.Explanation {
	f := fixture.Story(text)
	p := &f.Pairs[0]
	return &reports.Explanation{
		IP: p.IP, Network: p.Network, Receiver: p.Receiver, Day: f.Period.Last(), Score: p.Score, Lo: p.Lo, Hi: p.Hi, Band: p.Band, Evidence: 800,
		WeekBefore: 92, KnownBefore: true, Change: p.Fall, Replies: f.Quotes, Action: &f.Actions[0],
		Parts: []reports.Part{
			{Kind: reports.PartLevel, Points: 95},
			{Kind: reports.PartIP, Points: -1},
			{Kind: reports.PartNetwork, Points: -1},
			{Kind: reports.PartReceiver, Points: -3},
			{Kind: reports.PartPrivate, Points: -56},
		},
		Week:      delivery.Counts{Accepted: 152, DeferPolicy: 236, RejectPolicy: 412, UnknownUser: 3},
		Reference: delivery.Counts{Accepted: 1111, DeferPolicy: 9},
		Others:    []reports.Other{{Name: "198.51.100.8" + text, Score: 96, Neighbour: true}, {Name: "203.0.113.21", Score: 93}},
		Elsewhere: []reports.Other{{Name: "Gmail", Score: 97}, {Name: "docomo" + text, Score: 88}},
		Events:    []reports.Change{{Cause: "outage", Entity: "docomo" + text, Since: f.Period.From}},
	}
}

func TestExplain(t *testing.T) {
	each(t, func(t *testing.T, w *words.Words) {
		var b bytes.Buffer
		if err := reports.Explain(&b, explanation(""), w); err != nil {
			t.Fatal(err)
		}
		golden(t, "explain."+w.Lang+".txt", b.Bytes())
		unsaid(t, b.String())
	})
}

// An unknown score says why what is there makes none.
func TestExplainUnknown(t *testing.T) {
	each(t, func(t *testing.T, w *words.Words) {
		since := uint32(43)
		for _, c := range []struct {
			since *uint32
			week  delivery.Counts
			want  string
		}{
			{&since, delivery.Counts{Accepted: 146}, w.Say("explain.wide_fell", "n", 43)},
			{nil, delivery.Counts{Accepted: 3}, w.Say("explain.wide_few", "n", 3)},
			{nil, delivery.Counts{}, w.Say("explain.wide_none")},
		} {
			e := explanation("")
			e.Unknown, e.Needs, e.Lo, e.Hi, e.SinceFall, e.Week = true, 4, 33, 83, c.since, c.week
			var b bytes.Buffer
			if err := reports.Explain(&b, e, w); err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{c.want, w.Say("explain.wide", "width", 50)} {
				if !strings.Contains(b.String(), want) {
					t.Errorf("no %q in\n%s", want, b.String())
				}
			}
		}
		var b bytes.Buffer
		if err := reports.Explain(&b, explanation(""), w); err != nil || strings.Contains(b.String(), w.Say("explain.wide_few", "n", 803)) {
			t.Errorf("a known score is excused:\n%s", b.String())
		}
	})
}

func mailOf(t *testing.T, f *reports.Findings, w *words.Words) *reports.Mail {
	t.Helper()
	m, err := reports.NewMail(f, w, reports.MailOptions{Attached: "report.html"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMail(t *testing.T) {
	subjects := map[string]string{
		"en": "[repute] 2026-W47: 198.51.100.7 at Outlook.com fell from 92 to 34",
		"ja": "[repute] 2026-W47: Outlook.comで198.51.100.7が92から34へ低下",
	}
	each(t, func(t *testing.T, w *words.Words) {
		m := mailOf(t, fixture.Story(""), w)
		golden(t, "mail."+w.Lang+".txt", []byte(m.Text))
		golden(t, "mail."+w.Lang+".html", []byte(m.HTML))
		unsaid(t, m.Text)
		unsaid(t, m.Subject)
		if m.Subject != subjects[w.Lang] {
			t.Errorf("subject %q", m.Subject)
		}
		if len(m.Pictures) == 0 {
			t.Fatal("no picture of a fall")
		}
		for _, p := range m.Pictures {
			img, err := png.Decode(bytes.NewReader(p.PNG))
			if err != nil || img.Bounds().Dx() != 1120 {
				t.Errorf("%s: %v", p.ID, err)
			}
			if !strings.Contains(m.HTML, `src="cid:`+p.ID+`"`) || p.Alt == "" {
				t.Errorf("%s is not shown", p.ID)
			}
		}
		for i, line := range strings.Split(m.Text, "\n") {
			if words.Width(line) > 78 {
				t.Errorf("line %d has %d columns: %s", i+1, words.Width(line), line)
			}
		}
		if again := mailOf(t, fixture.Story(""), w); again.HTML != m.HTML || !bytes.Equal(again.Pictures[0].PNG, m.Pictures[0].PNG) {
			t.Error("two prints differ")
		}
	})
}

// A picture's letters are those of the library's font, which has no Japanese:
// the same picture goes into the mail of every language.
func TestPicturesNeedNoFont(t *testing.T) {
	var first []byte
	each(t, func(t *testing.T, w *words.Words) {
		png := mailOf(t, fixture.Story(""), w).Pictures[0].PNG
		if first == nil {
			first = png
		}
		if !bytes.Equal(first, png) {
			t.Error("a picture depends on the language")
		}
	})
}

// TestMailQuiet: a week without news is a mail too, and so is one without mail.
func TestMailQuiet(t *testing.T) {
	w := words.English()
	f := fixture.Story("")
	f.Changes, f.Quotes, f.Actions = nil, nil, nil
	for i := range f.Pairs {
		f.Pairs[i].Fall = nil
	}
	m := mailOf(t, f, w)
	if !strings.Contains(m.Subject, "no receiver treats") || !strings.Contains(m.Text, "No receiver changed") || len(m.Pictures) != 0 {
		t.Errorf("%q\n%s", m.Subject, m.Text)
	}
	f.Pairs = nil
	m = mailOf(t, f, w)
	if !strings.Contains(m.Subject, "no mail in this period") || !strings.Contains(m.Text, "No mail was sent") || strings.Contains(m.Text, "SCORES") {
		t.Errorf("%q\n%s", m.Subject, m.Text)
	}
}

// TestMailHostile: whatever strangers write, the mail has the elements of a
// clean one, loads nothing, runs nothing, and fits into Gmail's limit.
func TestMailHostile(t *testing.T) {
	w := words.English()
	clean := fixture.Census(t, []byte(mailOf(t, fixture.Story("x"), w).HTML))
	for _, payload := range fixture.Payloads() {
		m := mailOf(t, fixture.Story(payload), w)
		if got := fixture.Census(t, []byte(m.HTML)); fmt.Sprint(got) != fmt.Sprint(clean) {
			t.Errorf("%q changes the mail: %v, want %v", payload, got, clean)
		}
		if strings.ContainsAny(m.Text+m.Subject, "\x1b\x00\x07\r\u202e") {
			t.Errorf("%q reaches the text", payload)
		}
		if len(m.HTML) > 102<<10 {
			t.Errorf("%q: %d bytes of HTML", payload, len(m.HTML))
		}
	}
	doc, err := html.Parse(strings.NewReader(mailOf(t, fixture.Story(""), w).HTML))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Data == "script" || n.Data == "link" || n.Data == "iframe" {
			t.Errorf("<%s>", n.Data)
		}
		for _, a := range n.Attr {
			if a.Key == "src" && !strings.HasPrefix(a.Val, "cid:") {
				t.Errorf("src=%q", a.Val)
			}
		}
	}
}

// TestTerminalHostile: a terminal gets none of what strangers wrote to steer it.
func TestTerminalHostile(t *testing.T) {
	for _, payload := range fixture.Payloads() {
		var b bytes.Buffer
		if err := reports.Gist(&b, fixture.Story(payload), words.English()); err != nil {
			t.Fatal(err)
		}
		if err := reports.Explain(&b, explanation(payload), words.English()); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r < 0x20 && r != '\n' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e {
				t.Errorf("%q: the terminal gets %q", payload, r)
			}
		}
	}
}

// Only keeps what is about the pairs of one recipient.
func TestOnly(t *testing.T) {
	f := fixture.Story("").Only(func(ip, receiver string) bool { return ip == "198.51.100.8" })
	if len(f.Pairs) != 4 || slices.ContainsFunc(f.Pairs, func(p reports.Pair) bool { return p.IP != "198.51.100.8" }) {
		t.Errorf("%d pairs", len(f.Pairs))
	}
	if len(f.Volumes) != 1 || len(f.Public) != 1 || len(f.Quotes) != 0 || len(f.Delays) != 0 {
		t.Errorf("volumes %d, public %d, quotes %d, delays %d", len(f.Volumes), len(f.Public), len(f.Quotes), len(f.Delays))
	}
}

func TestPeriod(t *testing.T) {
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	week := reports.Period{From: monday, To: monday.AddDate(0, 0, 7)}
	ja, err := words.For("ja")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want string }{
		{reports.PeriodID(week), "2026-W47"},
		{week.Name(words.English()), "Week 47, 2026: Mon 16 Nov to Sun 22 Nov (UTC)"},
		{week.Name(ja), "2026年第47週：11月16日(月)〜11月22日(日)（UTC）"},
		{reports.PeriodID(reports.Period{From: monday, To: monday.AddDate(0, 0, 3)}), "2026-11-16--2026-11-18"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
