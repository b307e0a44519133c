// Package dmarc reads DMARC aggregate reports ([RFC 7489] appendix C and its
// successor RFC 9990): per sending address, how many messages a receiver
// counted that claim to be from our domain, and what became of them.
//
// A report is a stranger's XML. It is read as a stream, without document
// types, entities or depth, so that a bomb costs what its first bytes cost.
//
// [RFC 7489]: https://www.rfc-editor.org/rfc/rfc7489
package dmarc

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"repute/delivery"
	"repute/internal/signals"
)

// The bounds of one report. Large receivers split theirs; the largest seen
// have a few thousand records.
const (
	maxXML     = 16 << 20 // bytes of XML
	maxDepth   = 16
	maxRecords = 100_000
	maxText    = 4 << 10 // bytes of one element's text
)

// ErrNoReport tells that a document is something else.
var ErrNoReport = errors.New("no DMARC aggregate report: the document's element is not <feedback>")

// metadata is the head of a report.
type metadata struct {
	org, email, id string
	begin, end     time.Time
	domain         string
}

// record is one row of a report.
type record struct {
	ip          netip.Addr
	count       uint32
	disposition string // none, quarantine, reject; the newer form says pass too
	dkim, spf   string // aligned: pass or fail
	from        string // the domain in From
	to          string // the recipient's domain, where the receiver tells it
}

// Read reads one report's XML. It calls yield for each record, in the order of
// the report, until yield returns false. verified tells whether somebody
// vouches for the report.
func Read(r io.Reader, verified bool, yield func(signals.Record) bool) error {
	limited := &io.LimitedReader{R: r, N: maxXML}
	d := xml.NewDecoder(limited)
	d.Entity = nil
	d.CharsetReader = charset
	p := parser{verified: verified, yield: yield}
	err := p.run(d)
	switch {
	case errors.Is(err, errStop):
		return nil
	case err != nil && limited.N <= 0:
		return fmt.Errorf("more than %d MiB of XML", maxXML>>20)
	case err != nil:
		line, _ := d.InputPos()
		return fmt.Errorf("line %d: %w", line, err)
	}
	return nil
}

// charset reads what reports come in: UTF-8 and its parts, whatever they say.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "ascii", "utf8", "iso-8859-1", "windows-1252":
		return input, nil // addresses, names and counts are ASCII
	}
	return nil, fmt.Errorf("the report is in charset %.20q, not in UTF-8", label)
}

var errStop = errors.New("stop")

type parser struct {
	verified bool
	yield    func(signals.Record) bool

	path    []string
	text    []byte
	meta    metadata
	current record
	bad     error // of the current record
	count   int
	seen    bool // <feedback> has come
}

func (p *parser) run(d *xml.Decoder) error {
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if !p.seen {
				return ErrNoReport
			}
			if len(p.path) > 0 {
				return fmt.Errorf("the report is cut off within <%s>", p.path[len(p.path)-1])
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("a document type (<!DOCTYPE) is refused: no report has one")
		case xml.StartElement:
			err = p.start(t.Name.Local)
		case xml.CharData:
			if len(p.text)+len(t) > maxText {
				return fmt.Errorf("more than %d bytes of text in one element", maxText)
			}
			p.text = append(p.text, t...)
		case xml.EndElement:
			err = p.end(t.Name.Local)
		}
		if err != nil {
			return err
		}
	}
}

func (p *parser) start(name string) error {
	if len(p.path) == 0 {
		if p.seen || name != "feedback" {
			return ErrNoReport
		}
		p.seen = true
	}
	if p.path = append(p.path, name); len(p.path) > maxDepth {
		return fmt.Errorf("elements are nested more than %d deep", maxDepth)
	}
	p.text = p.text[:0]
	if len(p.path) == 2 && name == "record" {
		p.current, p.bad = record{}, nil
		if p.count++; p.count > maxRecords {
			return fmt.Errorf("more than %d records", maxRecords)
		}
	}
	return nil
}

func (p *parser) end(name string) error {
	if len(p.path) == 0 || p.path[len(p.path)-1] != name {
		return fmt.Errorf("</%.40s> closes nothing", name)
	}
	p.take(strings.Join(p.path[1:], "/"), strings.TrimSpace(string(p.text)))
	p.text = p.text[:0]
	p.path = p.path[:len(p.path)-1]
	if len(p.path) == 1 && name == "record" {
		return p.emit()
	}
	return nil
}

// take keeps the text of one element.
func (p *parser) take(path, text string) {
	c := &p.current
	switch path {
	case "report_metadata/org_name":
		p.meta.org = clean(text)
	case "report_metadata/email":
		p.meta.email = clean(text)
	case "report_metadata/report_id":
		p.meta.id = clean(text)
	case "report_metadata/date_range/begin":
		p.meta.begin = unix(text)
	case "report_metadata/date_range/end":
		p.meta.end = unix(text)
	case "policy_published/domain":
		p.meta.domain = strings.ToLower(clean(text))
	case "record/row/source_ip":
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			p.bad = fmt.Errorf("source_ip %.60q is not an address", text)
		}
		c.ip = ip.Unmap()
	case "record/row/count":
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			p.bad = fmt.Errorf("count %.20q is not a number", text)
		}
		c.count = uint32(n)
	case "record/row/policy_evaluated/disposition":
		c.disposition = strings.ToLower(clean(text))
	case "record/row/policy_evaluated/dkim":
		c.dkim = strings.ToLower(text)
	case "record/row/policy_evaluated/spf":
		c.spf = strings.ToLower(text)
	case "record/identifiers/header_from":
		c.from = strings.ToLower(clean(text))
	case "record/identifiers/envelope_to":
		c.to = strings.ToLower(clean(text))
	}
}

func unix(text string) time.Time {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<33 {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if len(s) > 255 {
		s = strings.ToValidUTF8(s[:255], "")
	}
	return s
}

// emit hands the record over that has just been closed.
func (p *parser) emit() error {
	c := &p.current
	switch {
	case p.bad != nil:
		return fmt.Errorf("record %d: %w", p.count, p.bad)
	case !c.ip.IsValid():
		return fmt.Errorf("record %d: no source_ip", p.count)
	case p.meta.begin.IsZero():
		return errors.New("the report has no date_range before its records")
	}
	from := c.from
	if from == "" {
		from = p.meta.domain
	}
	rec := signals.Record{
		Signal: delivery.Signal{
			Day: signals.Day(p.meta.begin), IP: c.ip.String(), Receiver: p.receiver(), Kind: delivery.SignalDMARC,
			N: c.count, Verified: p.verified,
		},
		SenderDomain: from,
		Source:       p.meta.org,
		Detail:       c.detail(),
		Key:          signals.Key("dmarc", p.meta.org, p.meta.id, strconv.Itoa(p.count), c.ip.String()),
	}
	if c.dkim != "pass" && c.spf != "pass" {
		rec.K = c.count
	}
	if !p.yield(rec) {
		return errStop
	}
	return nil
}

// receiver is whose report it is: the domain of its address, "google.com".
func (p *parser) receiver() string {
	if i := strings.LastIndexByte(p.meta.email, '@'); i >= 0 && i < len(p.meta.email)-1 {
		return strings.ToLower(strings.Trim(p.meta.email[i+1:], "<> "))
	}
	return strings.ToLower(p.meta.org)
}

func (c *record) detail() string {
	d := "let through"
	switch c.disposition {
	case "quarantine":
		d = "put in the spam folder by our own policy"
	case "reject":
		d = "refused by our own policy"
	}
	if c.to != "" {
		d += ", to " + c.to
	}
	return d
}
