package mail

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
)

func weekly() Message {
	return Message{
		From: netmail.Address{Name: "repute", Address: "repute@example.com"}, To: netmail.Address{Name: "三郎", Address: "saburo@example.jp"},
		Subject: "第47週: docomoで低下", Text: "本文 in plain text\n", HTML: `<p>本文</p><img src="cid:trend-1">`,
		Images:   []File{{Name: "trend-1", Type: "image/png", Data: []byte("\x89PNG\r\n\x1a\n\x00data")}},
		Attached: []File{{Name: "report-2026-W47.html", Type: "text/html", Data: []byte("<!doctype html>\n")}},
		Date:     time.Date(2026, 11, 23, 7, 0, 0, 0, time.FixedZone("JST", 9*3600)),
		Period:   "2026-W47", ListID: "repute.example.com", ListUnsubscribe: "mailto:postmaster@example.com",
	}
}

// parts lists the leaves of a mail as "media type content-id file name", with their contents.
func parts(t *testing.T, header func(string) string, body io.Reader) (names []string, contents map[string][]byte) {
	t.Helper()
	contents = map[string][]byte{}
	kind, params, err := mime.ParseMediaType(header("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		_, disposition, _ := mime.ParseMediaType(header("Content-Disposition"))
		name := strings.TrimSpace(kind + " " + header("Content-ID") + " " + disposition["filename"])
		contents[name] = data
		return []string{name}, contents
	}
	names = append(names, kind)
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextPart() // decodes quoted-printable, not base64
		if err == io.EOF {
			return names, contents
		}
		if err != nil {
			t.Fatal(err)
		}
		inner, data := parts(t, p.Header.Get, p)
		names = append(names, inner...)
		for k, v := range data {
			contents[k] = v
		}
	}
}

func TestCompose(t *testing.T) {
	l, err := Compose(weekly())
	if err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(l.Body))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "第47週: docomoで低下" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "List-Id": "<repute.example.com>", "List-Unsubscribe": "<mailto:postmaster@example.com>",
		"Message-Id": "<" + l.ID + ">", "Date": "Mon, 23 Nov 2026 07:00:00 +0900", "Mime-Version": "1.0",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	head, _, _ := bytes.Cut(l.Body, []byte("\r\n\r\n"))
	for _, b := range head {
		if b >= 0x80 {
			t.Fatalf("a header is not ASCII: %q", head)
		}
	}
	names, contents := parts(t, m.Header.Get, m.Body)
	want := "multipart/mixed multipart/related multipart/alternative text/plain text/html image/png <trend-1> trend-1.png text/html  report-2026-W47.html"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("parts: %s\nwant:  %s", got, want)
	}
	if got := string(contents["text/plain"]); got != "本文 in plain text\r\n" && got != "本文 in plain text\n" {
		t.Errorf("text: %q", got)
	}
	for line := range bytes.SplitSeq(l.Body, []byte("\r\n")) {
		if len(line) > 998 {
			t.Errorf("a line of %d bytes", len(line)) // RFC 5322 section 2.1.1
		}
	}
}

func TestMessageIDIsFixed(t *testing.T) {
	id := func(change func(*Message)) string {
		m := weekly()
		change(&m)
		l, err := Compose(m)
		if err != nil {
			t.Fatal(err)
		}
		return l.ID
	}
	first := id(func(*Message) {})
	if again := id(func(m *Message) { m.Text, m.Subject, m.Date = "other", "other", m.Date.Add(time.Hour) }); again != first {
		t.Errorf("the same report: %s, %s", first, again)
	}
	for name, change := range map[string]func(*Message){
		"period":    func(m *Message) { m.Period = "2026-W48" },
		"recipient": func(m *Message) { m.To.Address = "shiro@example.jp" },
		"variant":   func(m *Message) { m.Variant = "docomo" },
	} {
		if id(change) == first {
			t.Errorf("another %s, the same Message-ID", name)
		}
	}
}

// M-09: nothing that is put into a message makes a header.
func TestNoHeaderInjected(t *testing.T) {
	const evil = "x\r\nBcc: evil@example.net\r\n\r\nbody"
	for name, change := range map[string]func(*Message){
		"subject":     func(m *Message) { m.Subject = evil },
		"from":        func(m *Message) { m.From.Address = "a@example.com" + evil },
		"from name":   func(m *Message) { m.From.Name = evil },
		"to":          func(m *Message) { m.To.Address = "a@" + evil },
		"to, a list":  func(m *Message) { m.To.Address = "a@example.com>, <b@example.com" },
		"to name":     func(m *Message) { m.To.Name = evil },
		"period":      func(m *Message) { m.Period = evil },
		"list id":     func(m *Message) { m.ListID = evil },
		"unsubscribe": func(m *Message) { m.ListUnsubscribe = evil },
		"image":       func(m *Message) { m.Images[0].Name = evil },
		"image type":  func(m *Message) { m.Images[0].Type = evil },
		"attachment":  func(m *Message) { m.Attached[0].Name = evil },
		"file path":   func(m *Message) { m.Attached[0].Name = "../../etc/passwd" },
		"bare CR":     func(m *Message) { m.Subject = "x\rBcc: evil@example.net" },
		"bare LF":     func(m *Message) { m.Subject = "x\nBcc: evil@example.net" },
	} {
		t.Run(name, func(t *testing.T) {
			m := weekly()
			change(&m)
			l, err := Compose(m)
			if err != nil {
				return // refused
			}
			got, err := netmail.ReadMessage(bytes.NewReader(l.Body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Header.Get("Bcc") != "" || strings.ContainsAny(l.To+l.From, "\r\n>,") {
				t.Errorf("a header was added:\n%s", l.Body)
			}
			clean, _ := Compose(weekly())
			want, _ := netmail.ReadMessage(bytes.NewReader(clean.Body))
			if len(got.Header) != len(want.Header) {
				t.Errorf("%d headers, want %d", len(got.Header), len(want.Header))
			}
		})
	}
}

func TestGmailLimit(t *testing.T) {
	m := weekly()
	m.HTML = strings.Repeat("x", GmailLimit)
	if l, err := Compose(m); err != nil || l.Clipped {
		t.Errorf("at the limit: clipped %v, %v", l.Clipped, err)
	}
	m.HTML += "x"
	if l, err := Compose(m); err != nil || !l.Clipped {
		t.Errorf("above the limit: clipped %v, %v", l.Clipped, err)
	}
}
