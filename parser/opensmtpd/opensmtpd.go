// Package opensmtpd reads the lines of OpenSMTPD's smtpd(8), which go through
// syslog.
package opensmtpd

import (
	"bytes"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// Grammar reads OpenSMTPD lines. It keeps scratch memory, so one belongs to
// one stream.
type Grammar struct {
	err parser.SyntaxError
}

// New returns a grammar for one stream.
func New() *Grammar { return &Grammar{} }

// Append adds the events of one line. The three exits are those of
// parser.Parser.
//
//	SESSION mta delivery evpid=ID from=<S> to=<R> rcpt=<-> source="IP" relay="IP (HOST)" delay=1m2s result="Ok" stat="250 …"
//	SESSION mda delivery evpid=ID from=<S> to=<R> rcpt=<R> user=U delay=1s result=Ok stat=Delivered
//	SESSION smtp envelope evpid=ID from=<S> to=<R>
//
// Up to version 6.3 they read "mta event=delivery" and "smtp event=envelope".
// An evpid is an envelope's: it has one recipient.
func (g *Grammar) Append(dst []delivery.Event, e *envelope.Envelope) ([]delivery.Event, error) {
	if p := string(e.Program); p != "smtpd" && p != "opensmtpd" {
		return dst, parser.ErrIrrelevant
	}
	who, what, rest := verb(e.Text)
	final := false
	n := len(dst)
	dst, ev := delivery.Grow(dst)
	ev.At, ev.Host, ev.Tag = e.At, e.Host, e.Program
	switch {
	case who == "smtp" && what == "envelope":
		ev.Kind = delivery.Queued
	case (who == "mta" || who == "mda") && what == "delivery":
		ev.Kind = delivery.Attempt
	default:
		return dst[:n], parser.ErrIrrelevant
	}
	f := fields{rest: rest}
	ev.QueueID = f.word("evpid=")
	ev.Sender, ev.HasSender = f.address("from=<"), true
	ev.Bounce = len(ev.Sender) == 0
	ev.Recipient = f.address("to=<")
	if ev.Kind == delivery.Attempt {
		final = g.outcome(ev, &f, who == "mda")
	}
	if f.bad != "" {
		g.err = parser.SyntaxError{Kind: "opensmtpd: " + what, Off: len(e.Text) - len(f.rest), Msg: "expected " + f.bad}
		return dst[:n], &g.err
	}
	if final { // nothing more is said of this envelope
		id := ev.QueueID
		dst, ev = delivery.Grow(dst)
		ev.Kind, ev.At, ev.Host, ev.Tag, ev.QueueID = delivery.Removed, e.At, e.Host, e.Program, id
	}
	return dst, nil
}

// verb splits "5df87c9b982c840c mta delivery evpid=…".
func verb(t []byte) (who, what string, rest []byte) {
	session, t, _ := bytes.Cut(t, []byte(" "))
	for _, c := range session {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return "", "", nil
		}
	}
	for _, known := range [...][2]string{{"mta", "delivery"}, {"mda", "delivery"}, {"smtp", "envelope"}} {
		rest, ok := bytes.CutPrefix(t, []byte(known[0]+" "))
		if !ok {
			continue
		}
		rest = bytes.TrimPrefix(rest, []byte("event="))
		if rest, ok = bytes.CutPrefix(rest, []byte(known[1]+" ")); ok {
			return known[0], known[1], rest
		}
	}
	return "", "", nil
}

// outcome reads what follows the addresses and tells whether it was the last
// word about this recipient.
func (g *Grammar) outcome(ev *delivery.Event, f *fields, local bool) (final bool) {
	if f.rest = bytes.TrimLeft(f.rest, " "); bytes.HasPrefix(f.rest, []byte("rcpt=<")) { // mda leaves it out at times
		f.address("rcpt=<")
	}
	var result, stat []byte
	if local {
		f.word("user=")
		ev.QueueS = duration(f.word("delay="))
		result = f.word("result=")
		stat = f.last("stat=")
	} else {
		ev.LocalIP = bare(f.quoted("source="))
		ev.RelayIP, ev.RelayHost = relay(f.quoted("relay="))
		ev.QueueS = duration(f.word("delay="))
		result = f.quoted("result=")
		stat = f.last("stat=\"")
		ev.Truncated = !bytes.HasSuffix(stat, []byte(`"`))
		stat = bytes.TrimSuffix(stat, []byte(`"`))
	}
	switch string(result) {
	case "Ok":
		ev.Status, final = delivery.Sent, true
	case "TempFail":
		ev.Status = delivery.Deferred
	case "PermFail", "LoopDetected", "Loop":
		ev.Status, final = delivery.Bounced, true
	default:
		if f.bad == "" {
			f.bad = "a known result"
		}
	}
	ev.Local = local || bytes.HasPrefix(ev.RelayIP, []byte("127.")) || string(ev.RelayIP) == "::1"
	words(&ev.Reply, stat)
	switch ev.Reply.Failure {
	case delivery.DNSFailure, delivery.LocalFault, delivery.NoAttempt:
	default:
		ev.Attempted = !ev.Local
	}
	return final
}

// relay splits "203.0.113.7 (mx.example.net)". Where no connection was made
// it names the domain: "[relay:example.net,…]".
func relay(t []byte) (ip, host []byte) {
	ip, host, ok := bytes.Cut(t, []byte(" ("))
	if !ok {
		return nil, nil
	}
	host = bytes.TrimSuffix(host, []byte(")"))
	if bytes.Equal(ip, host) { // the address has no name
		host = nil
	}
	return bare(ip), host
}

// bare is the address in "[IPv6:2001:db8::7]"; nil for "-", which stands for
// none.
func bare(t []byte) []byte {
	if string(t) == "-" {
		return nil
	}
	return bytes.TrimPrefix(bytes.Trim(t, "[]"), []byte("IPv6:"))
}
