// Package postfix reads the text of Postfix log lines: what stands after
// stamp, host and "postfix/smtp[558]:".
package postfix

import (
	"bytes"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// Grammar reads Postfix lines. It keeps scratch memory, so one belongs to one
// stream.
type Grammar struct {
	scratch []byte
	err     parser.SyntaxError
}

// New returns a grammar for one stream.
func New() *Grammar { return &Grammar{} }

// Append adds the events of one line. The three exits are those of
// parser.Parser.
func (g *Grammar) Append(dst []delivery.Event, e *envelope.Envelope) ([]delivery.Event, error) {
	tag, daemon := splitTag(e.Program)
	id, rest, ok := queueID(e.Text)
	if !ok || !ours(daemon, e.Program, rest) {
		return dst, parser.ErrIrrelevant
	}
	dst, ev := delivery.Grow(dst)
	ev.At, ev.Host, ev.Tag, ev.QueueID = e.At, e.Host, tag, id
	if !plainService(daemon) {
		ev.Transport = daemon
	}
	if err := g.fact(ev, daemon, rest); err != nil {
		return dst[:len(dst)-1], err
	}
	return dst, nil
}

// fact reads what stands after "QUEUEID: ". The first byte tells most lines
// apart.
func (g *Grammar) fact(ev *delivery.Event, daemon, text []byte) error {
	if len(text) < 4 {
		ev.Kind = delivery.Noted
		return nil
	}
	switch text[0] {
	case 't':
		if string(text[:4]) == "to=<" {
			return g.outcome(ev, daemon, text)
		}
	case 'f':
		if hasPrefix(text, "from=<") {
			return g.from(ev, text)
		}
	case 'c':
		if hasPrefix(text, "client=") {
			client(ev, text[len("client="):])
			return nil
		}
	case 'm':
		if hasPrefix(text, "message-id=") {
			ev.Kind = delivery.Queued
			ev.MessageID = unbracket(text[len("message-id="):])
			return nil
		}
	case 'u':
		if hasPrefix(text, "uid=") {
			return g.pickup(ev, text)
		}
	case 'r':
		if string(text) == "removed" {
			ev.Kind = delivery.Removed
			if string(daemon) == "postsuper" {
				ev.Kind = delivery.Deleted
			}
			return nil
		}
	}
	g.rare(ev, daemon, text)
	return nil
}

// rare reads what stands on few lines.
func (g *Grammar) rare(ev *delivery.Event, daemon, text []byte) {
	switch {
	case hasPrefix(text, "status=deferred"): // bounce(8) could not send its bounce
		ev.Kind, ev.Status = delivery.Attempt, delivery.Deferred
		ev.Reply.Failure, ev.Reply.Text = delivery.LocalFault, text
	case hasPrefix(text, "status="): // status=force-expired, without a sender
		ev.Kind, ev.Status = delivery.Expired, delivery.StatusExpired
	case hasPrefix(text, "placed on hold"):
		ev.Kind = delivery.Held
	case hasPrefix(text, "released from hold"):
		ev.Kind = delivery.Released
	case hasPrefix(text, "sender "), hasPrefix(text, "postmaster "):
		notice(ev, text)
	case hasPrefix(text, "milter-reject: "), hasPrefix(text, "reject: "):
		ev.Kind = delivery.Rejected
	case g.trial(ev, daemon, text):
	default:
		ev.Kind = delivery.Noted
	}
}

// hasPrefix is bytes.HasPrefix for a constant, which the compiler turns into
// a comparison of words.
func hasPrefix(t []byte, prefix string) bool {
	return len(t) >= len(prefix) && string(t[:len(prefix)]) == prefix
}

func cutPrefix(t []byte, prefix string) (rest []byte, ok bool) {
	if hasPrefix(t, prefix) {
		return t[len(prefix):], true
	}
	return t, false
}

// unbracket drops the <> around an address or a message-id.
func unbracket(t []byte) []byte {
	if len(t) >= 2 && t[0] == '<' && t[len(t)-1] == '>' {
		return t[1 : len(t)-1]
	}
	return bytes.Trim(t, "<>")
}

// from reads qmgr's lines (qmgr_active.c):
//
//	from=<S>, size=N, nrcpt=N (queue active)
//	from=<S>, status=expired, returned to sender
func (g *Grammar) from(ev *delivery.Event, text []byte) error {
	sender, rest, ok := address(text[len("from="):])
	if !ok {
		return g.syntax("postfix: from=<", text, 0, "the address does not end")
	}
	ev.Sender, ev.HasSender = sender, true
	ev.Bounce = len(sender) == 0
	ev.Kind = delivery.Queued
	if hasPrefix(rest, ", size=") {
		ev.Size, rest = digits(rest[len(", size="):])
	}
	if hasPrefix(rest, ", nrcpt=") {
		var n int64
		n, rest = digits(rest[len(", nrcpt="):])
		ev.Recipients = int(n)
	}
	if hasPrefix(rest, ", status=") { // expired, force-expired
		ev.Kind, ev.Status = delivery.Expired, delivery.StatusExpired
	}
	return nil
}

// client reads smtpd's "client=h[ip], sasl_method=PLAIN, sasl_username=u".
func client(ev *delivery.Event, text []byte) {
	ev.Kind = delivery.Queued
	rest := text
	if i := bytes.Index(text, []byte(", ")); i >= 0 {
		ev.Client, rest = text[:i], text[i:]
	} else {
		ev.Client, rest = text, nil
	}
	for len(rest) > 2 {
		var key, value []byte
		key, value, rest = field(rest[2:])
		if string(key) == "sasl_username" {
			ev.SASLUser = value
		}
	}
}

// pickup reads "uid=0 from=<root>[ orig_id=OLD]". After postsuper -r the old
// id gets no "removed" line; the message goes on under the new one.
func (g *Grammar) pickup(ev *delivery.Event, text []byte) error {
	i := bytes.Index(text, []byte(" from=<"))
	if i < 0 {
		return g.syntax("postfix: pickup", text, 0, "no from=<")
	}
	sender, rest, ok := address(text[i+len(" from="):])
	if !ok {
		return g.syntax("postfix: pickup", text, i, "the address does not end")
	}
	ev.Kind = delivery.Queued
	ev.Sender, ev.HasSender, ev.Bounce = sender, true, len(sender) == 0
	if old, ok := cutPrefix(rest, " orig_id="); ok {
		ev.Kind = delivery.Requeued
		ev.QueueID, ev.NewID = old, ev.QueueID
	}
	return nil
}

// notice reads bounce's "sender non-delivery notification: QID2" and
// "sender delay notification: QID2".
func notice(ev *delivery.Event, text []byte) {
	ev.Kind = delivery.Noted
	i := bytes.Index(text, []byte(" notification: "))
	if i < 0 {
		return
	}
	id, _, _ := bytes.Cut(text[i+len(" notification: "):], []byte(" "))
	if !isQueueID(id) {
		return
	}
	ev.Kind, ev.NewID = delivery.BounceNotice, id
	if bytes.Contains(text[:i], []byte("delay")) {
		ev.Kind = delivery.DelayNotice
	}
}

// trial reads lines about one MX of several: they name no recipient and are
// followed by the recipient's own line.
func (g *Grammar) trial(ev *delivery.Event, daemon, text []byte) bool {
	g.words(&ev.Reply, text)
	if ev.Reply.Code == 0 && ev.Reply.Failure == delivery.FailureNone && len(ev.Reply.Text) == len(text) {
		ev.Reply = delivery.Reply{} // nobody spoke
		return false
	}
	ev.Kind = delivery.HostTrial
	ev.RelayHost, ev.RelayIP = namedHost(text)
	ev.Local = localDelivery(daemon, ev, text)
	ev.Attempted = !ev.Local
	dropPath(ev)
	return true
}

func (g *Grammar) syntax(kind string, text []byte, off int, msg string) error {
	g.err = parser.SyntaxError{Kind: kind, Off: off, Msg: msg}
	return &g.err
}
