package reports

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func mailOf(t *testing.T, f *Findings) *Mail {
	t.Helper()
	m, err := NewMail(f, MailOptions{Attached: "report.html"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMail(t *testing.T) {
	m := mailOf(t, story(""))
	golden(t, "mail.txt", []byte(m.Text))
	golden(t, "mail.html", []byte(m.HTML))
	if want := "[repute] 2026-11-02--2026-11-22: 198.51.100.7 at Outlook.com fell from 92 to 34"; m.Subject != want {
		t.Errorf("subject %q", m.Subject)
	}
	if len(m.Pictures) == 0 {
		t.Fatal("no picture of a fall")
	}
	for _, p := range m.Pictures {
		img, err := png.Decode(bytes.NewReader(p.PNG))
		if err != nil || img.Bounds().Dx() != pictureWidth {
			t.Errorf("%s: %v", p.ID, err)
		}
		if !strings.Contains(m.HTML, `src="cid:`+p.ID+`"`) || p.Alt == "" {
			t.Errorf("%s is not shown", p.ID)
		}
	}
	for i, line := range strings.Split(m.Text, "\n") {
		if len([]rune(line)) > 78 {
			t.Errorf("line %d has %d columns: %s", i+1, len([]rune(line)), line)
		}
	}
	if again := mailOf(t, story("")); again.HTML != m.HTML || !bytes.Equal(again.Pictures[0].PNG, m.Pictures[0].PNG) {
		t.Error("two prints differ")
	}
}

// TestMailQuiet: a week without news is a mail too.
func TestMailQuiet(t *testing.T) {
	f := story("")
	f.Changes, f.Quotes, f.Actions = nil, nil, nil
	for i := range f.Pairs {
		f.Pairs[i].Fall = nil
	}
	m := mailOf(t, f)
	if !strings.Contains(m.Subject, "no receiver treats") || !strings.Contains(m.Text, "No receiver changed") || len(m.Pictures) != 0 {
		t.Errorf("%q\n%s", m.Subject, m.Text)
	}
}

// TestMailHostile: whatever strangers write, the mail has the elements of a
// clean one, loads nothing, runs nothing, and fits into Gmail's limit.
func TestMailHostile(t *testing.T) {
	clean := census(t, []byte(mailOf(t, story("x")).HTML))
	for _, payload := range payloads() {
		m := mailOf(t, story(payload))
		if got := census(t, []byte(m.HTML)); fmt.Sprint(got) != fmt.Sprint(clean) {
			t.Errorf("%q changes the mail: %v, want %v", payload, got, clean)
		}
		if strings.ContainsAny(m.Text+m.Subject, "\x1b\x00\x07\r\u202e") {
			t.Errorf("%q reaches the text", payload)
		}
		if len(m.HTML) > 102<<10 {
			t.Errorf("%q: %d bytes of HTML", payload, len(m.HTML))
		}
	}
	doc, err := html.Parse(strings.NewReader(mailOf(t, story("")).HTML))
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
