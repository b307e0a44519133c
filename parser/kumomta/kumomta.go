// Package kumomta reads KumoMTA's JSON log records, one a line
// (docs.kumomta.com, "Log Record").
package kumomta

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// record holds the fields that are used of a log record.
type record struct {
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Sender    *string   `json:"sender"`
	Recipient oneOrMore `json:"recipient"`
	Size      int64     `json:"size"`
	Response  struct {
		Code     uint16 `json:"code"`
		Enhanced *struct {
			Class   uint8  `json:"class"`
			Subject uint16 `json:"subject"`
			Detail  uint16 `json:"detail"`
		} `json:"enhanced_code"`
		Content string `json:"content"`
		Command string `json:"command"`
	} `json:"response"`
	Peer *struct {
		Name string `json:"name"`
		Addr string `json:"addr"`
	} `json:"peer_address"`
	Source *struct {
		Address string `json:"address"`
	} `json:"source_address"`
	EgressSource string          `json:"egress_source"`
	Time         json.RawMessage `json:"timestamp"`
	Attempts     int             `json:"num_attempts"`
	NodeName     string          `json:"nodeid"`
	TLS          string          `json:"tls_cipher"`
}

// oneOrMore is a recipient, or a list of them in newer versions.
type oneOrMore []string

// maxRecipients bounds what one record may claim; KumoMTA batches 100 by
// default.
const maxRecipients = 1000

func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		if bytes.Count(b, []byte(",")) >= 2*maxRecipients { // an address may hold a comma
			return errors.New("too many recipients")
		}
		return json.Unmarshal(b, (*[]string)(o))
	}
	*o = make(oneOrMore, 1)
	return json.Unmarshal(b, &(*o)[0])
}

type log struct {
	host, tag []byte
	err       parser.SyntaxError
}

// New returns a parser of KumoMTA's log files. Its records name no host; it
// comes from the options.
func New(o parser.Options) parser.Parser { return &log{host: []byte(o.Host), tag: []byte("kumomta")} }

func (l *log) Append(dst []delivery.Event, line []byte) ([]delivery.Event, error) {
	if len(line) == 0 || line[0] != '{' {
		return dst, parser.ErrIrrelevant
	}
	var r record
	if envelope.TooDeep(line) || json.Unmarshal(line, &r) != nil {
		l.err = parser.SyntaxError{Kind: "kumomta: record", Msg: "not JSON, or not of a log record's shape"}
		return dst, &l.err
	}
	kind, status, ok := meaning(r.Type)
	if !ok || r.ID == "" {
		return dst, parser.ErrIrrelevant
	}
	at, ok := stamp(r.Time)
	if !ok {
		l.err = parser.SyntaxError{Kind: "kumomta: timestamp", Msg: "no time that can be read"}
		return dst, &l.err
	}
	if len(r.Recipient) == 0 {
		r.Recipient = oneOrMore{""}
	}
	id, first := []byte(r.ID), len(dst)
	for i, rcpt := range r.Recipient {
		var e *delivery.Event
		if dst, e = delivery.Grow(dst); i > 0 {
			*e = dst[first]
		} else {
			e.Kind, e.Status, e.At, e.Host, e.Tag, e.QueueID = kind, status, at, l.host, l.tag, id
			e.Size, e.Transport, e.TLS = r.Size, []byte(r.EgressSource), []byte(r.TLS)
			r.fill(e)
		}
		e.Recipient = []byte(rcpt)
	}
	if final := kind == delivery.Expired || status == delivery.Sent || status == delivery.Bounced; final && len(r.Recipient) == 1 {
		var e *delivery.Event
		dst, e = delivery.Grow(dst) // a message of one recipient is done with
		e.Kind, e.At, e.Host, e.Tag, e.QueueID = delivery.Removed, at, l.host, l.tag, id
	}
	return dst, nil
}

// meaning maps a record's type to kind and outcome.
func meaning(word string) (delivery.Kind, delivery.Status, bool) {
	switch word {
	case "Reception":
		return delivery.Queued, delivery.StatusNone, true
	case "Delivery":
		return delivery.Attempt, delivery.Sent, true
	case "TransientFailure":
		return delivery.Attempt, delivery.Deferred, true
	case "Bounce":
		return delivery.Attempt, delivery.Bounced, true
	case "Expiration":
		return delivery.Expired, delivery.StatusExpired, true
	case "AdminBounce":
		return delivery.Deleted, delivery.StatusNone, true
	case "Rejection":
		return delivery.Rejected, delivery.StatusNone, true
	case "Delayed", "AdminRebind", "XferIn", "XferOut":
		return delivery.Noted, delivery.StatusNone, true
	}
	return delivery.KindNone, delivery.StatusNone, false
}

// fill adds sender, addresses and reply.
func (r *record) fill(e *delivery.Event) {
	if r.Sender != nil {
		e.Sender, e.HasSender, e.Bounce = []byte(*r.Sender), true, *r.Sender == ""
	}
	if r.Peer != nil && e.Kind != delivery.Queued {
		e.RelayHost, e.RelayIP = []byte(strings.TrimSuffix(r.Peer.Name, ".")), []byte(r.Peer.Addr)
	}
	if r.Source != nil && len(r.Source.Address) <= longestValue {
		if a, err := netip.ParseAddrPort(r.Source.Address); err == nil {
			e.LocalIP = []byte(a.Addr().String())
		}
	}
	if e.Kind != delivery.Attempt {
		return
	}
	e.Reply.Text = []byte(r.Response.Content)
	if c := r.Response.Code; c < 1000 {
		e.Reply.Code = c
	}
	if c := r.Response.Enhanced; c != nil {
		e.Reply.Enhanced = delivery.Enhanced{Class: c.Class, Subject: c.Subject, Detail: c.Detail}
	}
	e.Reply.Stage = stage(r.Response.Command)
	e.Attempted = true
	if r.Peer == nil && e.Status != delivery.Sent { // KumoMTA's own words: no connection
		e.Reply.Failure, e.Reply.Code = delivery.ConnectionTimeout, 0
	}
}

func stage(command string) delivery.Stage {
	for _, s := range [...]struct {
		word  string
		stage delivery.Stage
	}{
		{"MAIL", delivery.StageMail},
		{"RCPT", delivery.StageRcpt},
		{"DATA", delivery.StageData},
		{"EHLO", delivery.StageHelo},
		{".", delivery.StageEOD},
	} {
		if strings.HasPrefix(strings.ToUpper(command), s.word) {
			return s.stage
		}
	}
	return delivery.StageNone
}

// longestValue is the longest address or time that is looked at: errors quote
// what they are about.
const longestValue = 64

// stamp reads seconds since 1970, or RFC 3339, as Unix microseconds.
func stamp(raw json.RawMessage) (int64, bool) {
	if len(raw) > longestValue {
		return 0, false
	}
	var seconds float64
	if json.Unmarshal(raw, &seconds) == nil && seconds > 0 && seconds < 1e10 {
		return int64(seconds * 1e6), true
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t.UnixMicro(), true
		}
	}
	return 0, false
}
