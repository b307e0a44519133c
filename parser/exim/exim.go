// Package exim reads Exim's main log, from its own file or through syslog.
package exim

import (
	"bytes"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// Grammar reads the text of Exim lines. It keeps scratch memory, so one
// belongs to one stream.
type Grammar struct {
	scratch []byte
	tag     []byte // of lines without a program
	err     parser.SyntaxError
}

// New returns a grammar for one stream.
func New() *Grammar { return &Grammar{tag: []byte("exim")} }

// Append adds the events of one line whose stamp has been read. The three
// exits are those of parser.Parser.
func (g *Grammar) Append(dst []delivery.Event, e *envelope.Envelope) ([]delivery.Event, error) {
	text, part := splitPart(e.Text)
	if part > 1 {
		return dst, nil
	}
	id, rest, ok := messageID(skipPID(skipStamp(text)))
	if !ok {
		return dst, parser.ErrIrrelevant
	}
	tag := e.Program
	if len(tag) == 0 {
		tag = g.tag
	}
	dst, ev := delivery.Grow(dst)
	ev.At, ev.Host, ev.Tag, ev.QueueID, ev.Truncated = e.At, e.Host, tag, id, part == 1
	if err := g.fact(ev, rest); err != nil {
		return dst[:len(dst)-1], err
	}
	return dst, nil
}

// fact dispatches on the flag (spec, "Log line flags").
func (g *Grammar) fact(ev *delivery.Event, text []byte) error {
	flag, rest := text, []byte(nil)
	if i := bytes.IndexByte(text, ' '); i >= 0 {
		flag, rest = text[:i], text[i+1:]
	}
	switch string(flag) {
	case "<=", "(=":
		g.arrival(ev, rest, string(flag) == "(=")
		return nil
	case "=>", "->", ">>":
		ev.Kind, ev.Status = delivery.Attempt, delivery.Sent
		return g.outcome(ev, rest)
	case "*>": // exim -N only says that it would have delivered
		ev.Kind, ev.Status = delivery.Attempt, delivery.Sent
		err := g.outcome(ev, rest)
		ev.Attempted = false
		return err
	case "==":
		ev.Kind, ev.Status = delivery.Attempt, delivery.Deferred
		return g.outcome(ev, rest)
	case "**":
		ev.Kind, ev.Status = delivery.Attempt, delivery.Bounced
		return g.outcome(ev, rest)
	case "Completed":
		ev.Kind = delivery.Removed
		return nil
	}
	if hasPrefix(text, "H=") {
		return g.trial(ev, text)
	}
	ev.Kind = state(text)
	return nil
}

// state reads what happened to the message as a whole.
func state(text []byte) delivery.Kind {
	for _, s := range [...]struct {
		words string
		kind  delivery.Kind
	}{
		{"Frozen", delivery.Held},
		{"frozen by", delivery.Held},
		{"unfrozen by", delivery.Released},
		{"Unfrozen by", delivery.Released},
		{"removed by", delivery.Deleted},
		{"cancelled by", delivery.Deleted},
	} {
		if bytes.HasPrefix(text, []byte(s.words)) {
			return s.kind
		}
	}
	return delivery.Noted
}

// arrival reads "<= SENDER H=… P=… S=… id=… for R…". A bounce that Exim makes
// itself has sender <> and R= naming the message that failed.
func (g *Grammar) arrival(ev *delivery.Event, text []byte, fake bool) {
	ev.Kind = delivery.Queued
	if fake { // (= : the sender was told 550, the message was taken
		ev.Kind = delivery.Noted
	}
	sender, rest := token(text)
	ev.HasSender = true
	if ev.Bounce = string(sender) == "<>"; !ev.Bounce {
		ev.Sender = sender
	}
	for len(rest) > 0 {
		var t []byte
		t, rest = token(rest)
		switch {
		case len(t) < 3:
		case t[1] == '=':
			switch t[0] {
			case 'H':
				ev.Client = t[2:]
			case 'R':
				ev.NewID = t[2:]
			case 'S':
				ev.Size = int64(decimal(t[2:]))
			case 'A':
				if i := bytes.IndexByte(t, ':'); i >= 0 {
					ev.SASLUser = t[i+1:]
				}
			}
		case hasPrefix(t, "id="):
			ev.MessageID = t[3:]
		case string(t) == "for":
			return // recipients, and what they are called is theirs to choose
		}
	}
}

// trial reads "H=mx [ip]: SMTP error …" and "H=mx [ip] Connection refused":
// one host of several. The recipient's own line follows.
func (g *Grammar) trial(ev *delivery.Event, text []byte) error {
	message, err := g.fields(ev, text)
	if err != nil {
		return err
	}
	// What a client sent us: H= is the client. Only such lines name the sender.
	rejected := hasPrefix(message, "rejected ") || hasPrefix(message, "temporarily rejected ")
	if rejected || ev.HasSender || hasPrefix(message, "Warning: ") {
		ev.Kind, ev.Reply.Text = delivery.Noted, message
		if rejected {
			ev.Kind = delivery.Rejected
		}
		ev.Client, ev.RelayHost, ev.RelayIP = ev.RelayHost, nil, nil
		return nil
	}
	ev.Kind, ev.Attempted = delivery.HostTrial, true
	g.message(ev, message, 0)
	return nil
}

// messageID splits "1rYcUl-0005vi-00 text" (6-6-2) and, since Exim 4.97,
// "1rYcUl-000000005vi-0000 text" (6-11-4; local_scan.h).
func messageID(t []byte) (id, rest []byte, ok bool) {
	if len(t) < 17 || t[6] != '-' {
		return nil, nil, false
	}
	second, n := 13, 16
	if t[second] != '-' || t[n] != ' ' {
		if second, n = 18, 23; len(t) <= n || t[second] != '-' || t[n] != ' ' {
			return nil, nil, false
		}
	}
	if alphanumeric(t[:6])&alphanumeric(t[7:second])&alphanumeric(t[second+1:n]) == 0 {
		return nil, nil, false
	}
	return t[:n], t[n+1:], true
}

// alphanumeric is 1 if b holds letters and digits alone. It has no branches:
// the characters of ids are random.
func alphanumeric(b []byte) uint64 {
	const low = 1<<10 - 1 | (1<<26-1)<<('A'-'0') | (1<<('p'-'a')-1)<<('a'-'0') // bits counted from '0'
	const high = 1<<('z'-'p'+1) - 1                                            // and from 'p'
	ok := uint64(1)
	for _, c := range b {
		ok &= low>>(c-'0') | high>>(c-'p')
	}
	return ok
}

// hasPrefix is bytes.HasPrefix for a constant, which the compiler turns into
// a comparison of words.
func hasPrefix(t []byte, prefix string) bool {
	return len(t) >= len(prefix) && string(t[:len(prefix)]) == prefix
}

// splitPart reads "[1/2] text" and "[1\\2] text": Exim splits entries of more
// than 870 bytes for syslog. The first part holds all that is counted; the
// reply's end is in the later ones. part is 0 for a whole entry.
func splitPart(t []byte) (text []byte, part int) {
	if len(t) < 6 || t[0] != '[' {
		return t, 0
	}
	i := 1
	for i < len(t) && i < 4 && '0' <= t[i] && t[i] <= '9' {
		i++
	}
	if i == 1 || i >= len(t) || (t[i] != '/' && t[i] != '\\') {
		return t, 0
	}
	end := bytes.IndexByte(t[i:min(len(t), i+5)], ']')
	if end < 0 || i+end+2 > len(t) {
		return t, 0
	}
	return t[i+end+2:], decimal(t[1:i])
}

// skipStamp drops Exim's own stamp where syslog has put another before it.
func skipStamp(t []byte) []byte {
	if len(t) < 20 || t[4] != '-' || t[7] != '-' || t[10] != ' ' || t[13] != ':' {
		return t
	}
	i := 19
	for i < len(t) && (t[i] == '.' || '0' <= t[i] && t[i] <= '9') {
		i++
	}
	if i+6 < len(t) && t[i] == ' ' && (t[i+1] == '+' || t[i+1] == '-') && '0' <= t[i+2] && t[i+2] <= '9' {
		i += 6
	}
	return bytes.TrimPrefix(t[i:], []byte(" "))
}

// skipPID drops "[1234] ", which log_selector +pid writes.
func skipPID(t []byte) []byte {
	if len(t) > 2 && t[0] == '[' && '0' <= t[1] && t[1] <= '9' {
		if i := bytes.Index(t, []byte("] ")); i > 0 && i < 12 {
			return t[i+2:]
		}
	}
	return t
}

func decimal(b []byte) int {
	n := 0
	for i := 0; i < len(b) && i < 9 && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n
}

func (g *Grammar) syntax(kind string, off int, msg string) error {
	g.err = parser.SyntaxError{Kind: kind, Off: off, Msg: msg}
	return &g.err
}
