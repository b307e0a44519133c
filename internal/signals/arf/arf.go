// Package arf reads complaints: the reports that a mailbox provider sends to
// a feedback loop when somebody presses "this is spam" ([RFC 5965]).
//
// Every byte of a report is a stranger's. What is read is bounded, and a
// report counts only if the receiving host says that it is authentic.
//
// [RFC 5965]: https://www.rfc-editor.org/rfc/rfc5965
package arf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/headers"
	"repute/internal/signals/mailauth"
)

// The bounds of one report. A complaint holds the headers of the mail that it
// is about, seldom more than a few dozen kilobytes.
const (
	maxReport = 2 << 20 // bytes read
	maxParts  = 64
	maxDepth  = 5
	maxHeader = 256 << 10 // bytes of the headers of the mail complained about
	maxFields = 500
)

// ErrNoReport tells that a mail is no feedback report.
var ErrNoReport = errors.New("no feedback report in this mail (RFC 5965: no part of type message/feedback-report)")

// Report is a feedback report as its fields say.
type Report struct {
	Type     string // abuse, fraud, virus, not-spam, opt-out, other, auth-failure
	Agent    string // the provider's name for its own software
	From     string // who sent the report
	Reported time.Time
	SourceIP netip.Addr
	About    signals.Reference
	Verified bool // the receiving host vouches for it

	body message.Header // of the mail complained about
}

// Parse reads one mail. ErrNoReport tells that it is none of ours to read.
func Parse(r io.Reader, trust mailauth.Trust) (*Report, error) {
	limited := &io.LimitedReader{R: r, N: maxReport}
	e, err := message.ReadWithOptions(limited, &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, fmt.Errorf("not a mail: %w", err)
	}
	p := &reader{report: &Report{From: e.Header.Get("From")}}
	err = p.walk(e, 0)
	switch {
	case p.fields == nil && err != nil:
		return nil, err
	case p.fields == nil:
		return nil, ErrNoReport
	}
	p.report.take(p.fields)
	p.report.Verified = trust.Vouch(&e.Header.Header, p.report.From)
	if date, err := headers.Date(e.Header.Get("Date")); err == nil && p.report.Reported.IsZero() {
		p.report.Reported = date
	}
	return p.report, nil
}

// reader walks through the parts of a mail.
type reader struct {
	report *Report
	fields *message.Header
	parts  int
}

func (p *reader) walk(e *message.Entity, depth int) error {
	if p.parts++; p.parts > maxParts {
		return fmt.Errorf("more than %d parts", maxParts)
	}
	if depth > maxDepth {
		return fmt.Errorf("parts are nested more than %d deep", maxDepth)
	}
	kind, _, _ := e.Header.ContentType()
	switch strings.ToLower(kind) {
	case "message/feedback-report":
		h, err := readHeader(e.Body)
		if err != nil {
			return fmt.Errorf("feedback-report: %w", err)
		}
		p.fields = h
		return nil
	case "message/rfc822", "text/rfc822-headers", "message/global", "message/rfc822-headers":
		h, err := readHeader(e.Body)
		if err != nil {
			return fmt.Errorf("headers of the mail complained about: %w", err)
		}
		p.report.body = *h
		return nil
	}
	parts := e.MultipartReader()
	if parts == nil {
		return nil
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && part == nil {
			return fmt.Errorf("broken MIME: %w", err)
		}
		if err := p.walk(part, depth+1); err != nil {
			return err
		}
	}
}

// readHeader reads a header that stands in a body. A header that is cut short
// (some providers leave out the empty line) counts as far as it goes.
func readHeader(r io.Reader) (*message.Header, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxHeader))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	text = append(bytes.TrimLeft(text, "\r\n \t"), "\r\n\r\n"...)
	h, err := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(text)))
	if err != nil {
		return nil, err
	}
	if h.Len() > maxFields {
		return nil, fmt.Errorf("%d header fields", h.Len())
	}
	return &message.Header{Header: h}, nil
}

// take reads the report's own fields ([RFC 5965] section 3) and fills the
// gaps from the mail that it is about: Microsoft's say next to nothing.
func (r *Report) take(h *message.Header) {
	r.Type = strings.ToLower(headers.Clean(h.Get("Feedback-Type")))
	r.Agent = headers.Clean(h.Get("User-Agent"))
	for _, name := range []string{"Arrival-Date", "Received-Date"} {
		if t, err := headers.Date(h.Get(name)); err == nil {
			r.Reported = t
			break
		}
	}
	if ip, err := netip.ParseAddr(strings.Trim(headers.Clean(h.Get("Source-IP")), "[]")); err == nil {
		r.SourceIP = ip.Unmap()
	} else {
		r.SourceIP = headers.HandedOver(&r.body)
	}
	r.About = signals.Reference{
		Sender: headers.Address(h.Get("Original-Mail-From")),
	}
	r.About.MessageIDs = headers.MessageIDs(&r.body)
	r.About.QueueIDs = headers.QueueIDs(&r.body)
	recipients := []string{
		h.Get("Original-Rcpt-To"), r.body.Get("X-HmXmrOriginalRecipient"), r.body.Get("X-Original-To"),
		r.body.Get("Delivered-To"), headers.ReceivedFor(&r.body), r.body.Get("To"),
	}
	for _, field := range recipients {
		rcpt := headers.Address(field)
		local, domain, ok := headers.CutAddress(rcpt)
		if !ok {
			continue
		}
		if r.About.Domain == "" {
			r.About.Domain = strings.ToLower(domain)
		}
		if !headers.Redacted(local) {
			r.About.Recipient = rcpt
			break
		}
	}
	if r.About.Sender == "" {
		r.About.Sender = headers.Address(r.body.Get("Return-Path"))
	}
}

// Complaint tells whether the report is one: "not-spam" is the opposite, and
// an authentication failure ([RFC 6591]) is nobody's opinion.
//
// [RFC 6591]: https://www.rfc-editor.org/rfc/rfc6591
func (r *Report) Complaint() bool {
	return !slices.Contains([]string{"not-spam", "auth-failure", ""}, r.Type)
}

// Record turns a complaint into a record of one complaint on the day of the
// report. Its receiver is the recipient's domain, else the reporter's.
func (r *Report) Record() signals.Record {
	rec := signals.Record{
		Signal: delivery.Signal{Kind: delivery.SignalComplaint, K: 1, Receiver: r.About.Domain, Verified: r.Verified},
		Detail: r.Agent,
		About:  r.About,
		Key: signals.Key(r.Type, r.Agent, r.SourceIP.String(), r.About.Sender, r.About.Recipient, r.About.Domain,
			strings.Join(r.About.MessageIDs, " "), r.Reported.UTC().Format(time.RFC3339)),
	}
	if !r.Reported.IsZero() {
		rec.Day = signals.Day(r.Reported)
	}
	if r.SourceIP.IsValid() {
		rec.IP = r.SourceIP.String()
	}
	if _, domain, ok := headers.CutAddress(headers.Address(r.From)); ok && rec.Receiver == "" {
		rec.Receiver = strings.ToLower(domain)
	}
	return rec
}
