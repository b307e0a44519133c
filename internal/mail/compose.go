// Package mail writes the report mail, keeps it in an outbox and hands it to
// a mail server: the row first, then the sending, so that a crash loses
// nothing and sends nothing twice. docs/mail.md tells what happens when.
package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// GmailLimit is the size of an HTML body above which Gmail cuts it and hides
// the rest behind a link.
const GmailLimit = 102 * 1024

// Message is a mail before it is written: who gets what.
type Message struct {
	From, To netmail.Address
	Subject  string
	Text     string
	HTML     string // "" for a mail of text alone; refers to images by cid:
	Images   []File // shown in the HTML; Name is the content id
	Attached []File
	Date     time.Time

	// Period and Variant make the Message-ID: the same report for the same
	// recipient has the same one however often it is composed.
	Period  string // "2026-W47"
	Variant string // tells two reports to one recipient apart

	ListID          string // RFC 2919, without <>; "" for none
	ListUnsubscribe string // RFC 2369, without <>; "" for none
}

// File is an image or an attachment.
type File struct {
	Name string
	Type string // media type: "image/png"
	Data []byte
}

// Compose writes a message. The letter is queued and due at once.
func Compose(m Message) (Letter, error) {
	if err := m.check(); err != nil {
		return Letter{}, err
	}
	id := m.ID()
	msg := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP))
	msg.FromMailAddress(&m.From)
	msg.ToMailAddress(&m.To)
	msg.Subject(oneLine(m.Subject))
	msg.SetDateWithValue(m.Date)
	msg.SetMessageIDWithValue(id)
	msg.SetUserAgent("repute")
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 section 5
	if m.ListID != "" {
		msg.SetGenHeader("List-Id", "<"+m.ListID+">")
	}
	if m.ListUnsubscribe != "" {
		msg.SetListUnsubscribe("<" + m.ListUnsubscribe + ">")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	}
	for _, f := range m.Images {
		opts := []gomail.FileOption{gomail.WithFileContentID("<" + f.Name + ">"), gomail.WithFileContentType(gomail.ContentType(f.Type))}
		if err := msg.EmbedReader(f.Name+extension(f.Type), bytes.NewReader(f.Data), opts...); err != nil {
			return Letter{}, fmt.Errorf("mail: image %q: %w", f.Name, err)
		}
	}
	for _, f := range m.Attached {
		if err := msg.AttachReader(f.Name, bytes.NewReader(f.Data), gomail.WithFileContentType(gomail.ContentType(f.Type))); err != nil {
			return Letter{}, fmt.Errorf("mail: attachment %q: %w", f.Name, err)
		}
	}
	var body bytes.Buffer
	if _, err := msg.WriteTo(&body); err != nil {
		return Letter{}, fmt.Errorf("mail: %w", err)
	}
	return Letter{
		ID: id, Period: m.Period, From: m.From.Address, To: m.To.Address, State: Queued,
		Queued: m.Date, Next: m.Date, Body: body.Bytes(), Clipped: len(m.HTML) > GmailLimit,
	}, nil
}

// check refuses what could start a header or a command of its own. The
// subject is not refused but put on one line: what others wrote into a log
// must not keep a report from being sent.
func (m *Message) check() error {
	for what, text := range map[string]string{
		"sender": m.From.Address, "sender's name": m.From.Name, "recipient": m.To.Address, "recipient's name": m.To.Name,
		"period": m.Period, "list id": m.ListID, "unsubscribe address": m.ListUnsubscribe,
	} {
		if strings.ContainsFunc(text, unicode.IsControl) {
			return fmt.Errorf("mail: the %s %q holds a control character", what, text)
		}
	}
	for _, a := range []netmail.Address{m.From, m.To} {
		if _, err := netmail.ParseAddress((&netmail.Address{Address: a.Address}).String()); err != nil || a.Address == "" || strings.ContainsAny(a.Address, "<> ") {
			return fmt.Errorf("mail: %q is not an address", a.Address)
		}
	}
	for _, f := range append(append([]File(nil), m.Images...), m.Attached...) {
		if f.Name == "" || strings.ContainsFunc(f.Name+f.Type, unicode.IsControl) || strings.ContainsAny(f.Name, `<>"/\`) {
			return fmt.Errorf("mail: %q is not a file name", f.Name)
		}
	}
	if m.Date.IsZero() || m.Period == "" {
		return errors.New("mail: a message needs a date and a period")
	}
	return nil
}

// ID is the Message-ID without <>, RFC 5322 section 3.6.4. It needs From, To,
// Period and Variant only.
func (m *Message) ID() string {
	sum := sha256.Sum256([]byte(strings.ToLower(m.To.Address) + "\x00" + m.Variant + "\x00" + m.Period))
	_, domain, _ := strings.Cut(m.From.Address, "@")
	return "repute." + atoms(m.Period) + "." + hex.EncodeToString(sum[:8]) + "@" + domain
}

// atoms keeps the characters of text that a Message-ID may hold.
func atoms(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '-'
	}, text)
}

// oneLine makes every control character a blank.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

func extension(mediaType string) string {
	if mediaType == "image/png" {
		return ".png"
	}
	return ""
}
