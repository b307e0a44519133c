// Package powermta reads PowerMTA's accounting files: CSV (RFC 4180) whose
// first line names the columns that the administrator chose (PowerMTA User's
// Guide, "Accounting").
package powermta

import (
	"bytes"
	"hash/fnv"
	"strconv"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// column is one that is used.
type column int

const (
	colType column = iota
	colLogged
	colQueued
	colOrig
	colRcpt
	colStatus
	colDiag
	colMTA
	colCategory
	colDelivery
	colSource
	colDestination
	colSize
	colVMTA
	colMessageID
	columns
)

var names = map[string]column{
	"type": colType, "timelogged": colLogged, "timequeued": colQueued, "orig": colOrig, "rcpt": colRcpt,
	"dsnstatus": colStatus, "dsndiag": colDiag, "dsnmta": colMTA, "bouncecat": colCategory, "dlvtype": colDelivery,
	"dlvsourceip": colSource, "dlvdestinationip": colDestination, "dlvsize": colSize, "vmta": colVMTA,
	"header_message-id": colMessageID,
}

// standard is the order of columns where no first line was seen.
const standard = "type,timeLogged,timeQueued,orig,rcpt,orcpt,dsnAction,dsnStatus,dsnDiag,dsnMta,bounceCat,srcType," +
	"srcMta,dlvType,dlvSourceIp,dlvDestinationIp,dlvEsmtpAvailable,dlvSize,vmta,jobId,envId,queue,vmtaPool"

type log struct {
	reader  *envelope.Reader
	host    []byte
	key     []byte
	at      [columns]int // where each column stands; -1 if it is missing
	cells   [][]byte
	scratch []byte
	err     parser.SyntaxError
}

// New returns a parser of accounting files. Records have no queue id: it is
// made from the time of queueing, sender and recipient with the options' key.
// They name no host; it comes from the options.
func New(o parser.Options) parser.Parser {
	l := &log{reader: envelope.New(o.Zone, o.Reference, o.After, o.Year), host: []byte(o.Host), key: o.Key}
	l.header([]byte(standard))
	if first, _, ok := bytes.Cut(o.Head, []byte("\n")); ok {
		l.header(bytes.TrimRight(first, "\r"))
	}
	return l
}

// header learns the columns from a file's first line; false if it is none.
func (l *log) header(line []byte) bool {
	if !bytes.HasPrefix(line, []byte("type,")) || !l.split(line) {
		return false
	}
	for i := range l.at {
		l.at[i] = -1
	}
	for i, name := range l.cells {
		if c, ok := names[string(bytes.ToLower(name))]; ok && l.at[c] < 0 {
			l.at[c] = i
		}
	}
	return true
}

func (l *log) Append(dst []delivery.Event, line []byte) ([]delivery.Event, error) {
	i := bytes.IndexByte(line, ',')
	if i < 1 || i > 8 {
		return dst, parser.ErrIrrelevant
	}
	if l.header(line) {
		return dst, parser.ErrIrrelevant
	}
	kind, status, ok := meaning(line[:i])
	if !ok {
		return dst, parser.ErrIrrelevant
	}
	if !l.split(line) {
		return dst, l.syntax("powermta: record", "a quoted value does not end")
	}
	at, ok := l.stamp(l.cell(colLogged))
	if !ok {
		return dst, l.syntax("powermta: timeLogged", "no time that can be read")
	}
	if len(l.cell(colRcpt)) == 0 {
		return dst, l.syntax("powermta: record", "no rcpt")
	}
	if status == delivery.Bounced && string(l.cell(colCategory)) == "message-expired" {
		kind, status = delivery.Expired, delivery.StatusExpired
	}
	id := l.id()
	dst, ev := delivery.Grow(dst)
	ev.Kind, ev.Status, ev.At, ev.Host, ev.Tag, ev.QueueID = kind, status, at, l.host, []byte("pmta"), id
	l.fill(ev)
	if kind == delivery.Expired || status == delivery.Sent || status == delivery.Bounced {
		dst, ev = delivery.Grow(dst) // nothing more is said of this recipient
		ev.Kind, ev.At, ev.Host, ev.Tag, ev.QueueID = delivery.Removed, at, l.host, []byte("pmta"), id
	}
	return dst, nil
}

// meaning maps a record's type to kind and outcome: d delivered, b bounced, t
// transient error, r received; short or spelt out.
func meaning(word []byte) (delivery.Kind, delivery.Status, bool) {
	switch string(word) {
	case "d", "delivery":
		return delivery.Attempt, delivery.Sent, true
	case "b", "bounce":
		return delivery.Attempt, delivery.Bounced, true
	case "t", "transient":
		return delivery.Attempt, delivery.Deferred, true
	case "r", "receipt":
		return delivery.Queued, delivery.StatusNone, true
	}
	return delivery.KindNone, delivery.StatusNone, false // tq, f, rb, rs speak of no attempt of ours
}

// fill adds addresses and reply.
func (l *log) fill(ev *delivery.Event) {
	ev.Sender, ev.HasSender = bytes.Trim(l.cell(colOrig), "<>"), true
	ev.Bounce = len(ev.Sender) == 0
	ev.Recipient = bytes.Trim(l.cell(colRcpt), "<>")
	ev.MessageID = bytes.Trim(l.cell(colMessageID), "<>")
	ev.Size = number(l.cell(colSize))
	if ev.Kind == delivery.Queued {
		return
	}
	ev.Transport, ev.LocalIP = l.cell(colVMTA), l.cell(colSource)
	ev.RelayHost, _, _ = bytes.Cut(l.cell(colMTA), []byte(" (")) // "mx.example.net (198.51.100.7)"
	ev.RelayIP = l.cell(colDestination)
	if queued, ok := l.stamp(l.cell(colQueued)); ok && queued <= ev.At {
		ev.QueueS = float32(min((ev.At-queued)/1e6, 366*86400))
	}
	reply(&ev.Reply, l.cell(colDiag), l.cell(colStatus), ev.Status)
	if ev.Kind != delivery.Attempt {
		return
	}
	ev.Local = len(l.cell(colDelivery)) > 0 && string(l.cell(colDelivery)) != "smtp"
	ev.Attempted = !ev.Local && ev.Reply.Failure != delivery.DNSFailure && ev.Reply.Failure != delivery.LocalFault
}

// id stands for the queue id that the record lacks.
func (l *log) id() []byte {
	h := fnv.New64a()
	h.Write(l.key)
	for _, c := range [...]column{colQueued, colOrig, colRcpt} {
		h.Write(l.cell(c))
		h.Write([]byte{0})
	}
	return strconv.AppendUint(nil, h.Sum64(), 16)
}

func (l *log) cell(c column) []byte {
	if i := l.at[c]; i >= 0 && i < len(l.cells) {
		return l.cells[i]
	}
	return nil
}

// stamp reads seconds since 1970, PowerMTA's own form, or a date with or
// without a zone, as Unix microseconds.
func (l *log) stamp(t []byte) (int64, bool) {
	if n := number(t); n > 0 && n < 1e10 {
		return n * 1e6, true
	}
	var b [48]byte
	if len(t) >= len(b) {
		return 0, false
	}
	at, _, ok := l.reader.Stamp(append(append(b[:0], t...), ' '))
	return at, ok && at != 0
}

// number reads decimal digits; 0 if there is anything else.
func number(t []byte) (n int64) {
	for _, c := range t {
		if c < '0' || c > '9' || n > 1e15 {
			return 0
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

func (l *log) syntax(kind, msg string) error {
	l.err = parser.SyntaxError{Kind: kind, Msg: msg}
	return &l.err
}
