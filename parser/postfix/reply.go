package postfix

import (
	"bytes"

	"repute/delivery"
)

// words reads the text of an outcome: the receiver's reply, or Postfix's own
// words where there was none (smtp_proto.c, smtp_trouble.c, smtp_connect.c).
func (g *Grammar) words(r *delivery.Reply, text []byte) {
	if isReply(text) {
		r.Stage = delivery.StageEOD
		g.reply(r, text)
		return
	}
	if rest, ok := cutPrefix(text, "delivery temporarily suspended: "); ok {
		g.words(r, rest)
		r.Failure = delivery.NoAttempt
		return
	}
	if rest, ok := afterHost(text); ok {
		if said, ok := cutPrefix(rest, " said: "); ok {
			said, r.Stage = inReplyTo(said)
			g.reply(r, said)
			return
		}
		if said, ok := cutPrefix(rest, " refused to talk to me: "); ok {
			r.Stage = delivery.StageConnect
			g.reply(r, said)
			return
		}
	}
	r.Text = text
	r.Failure, r.Stage = failure(text)
}

// isReply tells whether text starts with a reply code, RFC 5321 section 4.2.
func isReply(t []byte) bool {
	return len(t) >= 3 && '2' <= t[0] && t[0] <= '5' && '0' <= t[1] && t[1] <= '9' && '0' <= t[2] && t[2] <= '9' &&
		(len(t) == 3 || t[3] == ' ' || t[3] == '-')
}

// reply takes a reply apart. Postfix joins the lines of a reply by blanks and
// keeps the continuation codes: "550-5.7.1 first 550 5.7.1 last" (translit in
// smtp_chat.c). Text gets the words alone: "5.7.1 first last".
func (g *Grammar) reply(r *delivery.Reply, t []byte) {
	if !isReply(t) {
		r.Text = t
		return
	}
	code := t[:3]
	r.Code = uint16(t[0]-'0')*100 + uint16(t[1]-'0')*10 + uint16(t[2]-'0')
	more := len(t) > 3 && t[3] == '-'
	t = t[min(4, len(t)):]
	var n int
	r.Enhanced, n = delivery.ParseEnhanced(t)
	enhanced := t[:n]
	if !more {
		r.Text = t
		return
	}
	g.scratch = g.scratch[:0]
	for len(t) > 0 {
		i := continuation(t, code)
		if i < 0 {
			g.scratch = append(g.scratch, t...)
			break
		}
		g.scratch = append(g.scratch, bytes.TrimRight(t[:i], " ")...)
		last := t[i+4] == ' '
		t = t[i+5:]
		if n > 0 && bytes.HasPrefix(t, enhanced) {
			t = bytes.TrimPrefix(t[n:], []byte(" "))
		}
		if len(t) > 0 {
			g.scratch = append(g.scratch, ' ')
		}
		if last {
			g.scratch = append(g.scratch, t...)
			break
		}
	}
	r.Text = g.scratch
}

// continuation finds the next " 550-" or " 550 " in t.
func continuation(t, code []byte) int {
	for from := 0; ; {
		i := bytes.Index(t[from:], code)
		if i < 0 || from+i+3 >= len(t) {
			return -1
		}
		i += from
		if i > 0 && t[i-1] == ' ' && (t[i+3] == '-' || t[i+3] == ' ') {
			return i - 1
		}
		from = i + 3
	}
}

// inReplyTo cuts "(in reply to RCPT TO command)" off and names the stage.
func inReplyTo(t []byte) ([]byte, delivery.Stage) {
	i := bytes.LastIndexByte(t, '(') - 1
	if i < 0 || !hasPrefix(t[i:], " (in reply to ") {
		return t, delivery.StageNone
	}
	return t[:i], stage(t[i+len(" (in reply to "):])
}

func stage(t []byte) delivery.Stage {
	for _, s := range [...]struct {
		word  string
		stage delivery.Stage
	}{
		{"end of DATA", delivery.StageEOD},
		{"end of data", delivery.StageEOD},
		{"message body", delivery.StageEOD},
		{"RCPT TO", delivery.StageRcpt},
		{"MAIL FROM", delivery.StageMail},
		{"DATA", delivery.StageData},
		{"EHLO", delivery.StageHelo},
		{"HELO", delivery.StageHelo},
		{"initial server greeting", delivery.StageConnect},
		{"STARTTLS", delivery.StageTLS},
		{"AUTH", delivery.StageAuth},
		{"QUIT", delivery.StageQuit},
	} {
		if bytes.Contains(t, []byte(s.word)) {
			return s.stage
		}
	}
	return delivery.StageNone
}

// failure names how a conversation ended without a reply.
func failure(t []byte) (delivery.Failure, delivery.Stage) {
	switch {
	case hasPrefix(t, "lost connection with "):
		return delivery.Lost, stage(afterWhile(t))
	case hasPrefix(t, "conversation with "):
		return delivery.ReplyTimeout, stage(afterWhile(t))
	case hasPrefix(t, "connect to "):
		return connectFailure(t), delivery.StageConnect
	case hasPrefix(t, "Host or domain name not found"), bytes.Contains(t, []byte("does not accept mail (nullMX)")),
		hasPrefix(t, "unable to look up host"), hasPrefix(t, "Name service error"):
		return delivery.DNSFailure, delivery.StageNone
	case hasPrefix(t, "TLS is required"), hasPrefix(t, "Cannot start TLS"),
		hasPrefix(t, "Server certificate not"):
		return delivery.TLSFailure, delivery.StageTLS
	case hasPrefix(t, "mail for "), hasPrefix(t, "bounce failed"):
		return delivery.LocalFault, delivery.StageNone
	}
	return delivery.FailureNone, delivery.StageNone
}

// afterWhile is the part that says what was going on: the host's name before
// it is the peer's choice and must not name a stage.
func afterWhile(t []byte) []byte {
	if i := bytes.LastIndex(t, []byte(" while ")); i >= 0 {
		return t[i:]
	}
	return nil
}

func connectFailure(t []byte) delivery.Failure {
	switch i := bytes.LastIndex(t, []byte(": ")); {
	case i < 0:
		return delivery.ConnectionTimeout
	case bytes.Contains(t[i:], []byte("refused")):
		return delivery.ConnectionRefused
	case bytes.Contains(t[i:], []byte("timed out")):
		return delivery.ConnectionTimeout
	}
	return delivery.Unreachable
}

// afterHost returns what follows "host NAME[ADDRESS]".
func afterHost(t []byte) ([]byte, bool) {
	rest, ok := cutPrefix(t, "host ")
	if !ok {
		return nil, false
	}
	i := bytes.IndexByte(rest, ']')
	if i < 0 {
		return nil, false
	}
	return rest[i+1:], true
}

// namedHost finds "NAME[ADDRESS]" behind "host ", "connect to " and the like.
func namedHost(t []byte) (host, ip []byte) {
	t, _ = cutPrefix(t, "delivery temporarily suspended: ")
	for _, before := range [...]string{"host ", "connect to ", "lost connection with ", "conversation with "} {
		if rest, ok := cutPrefix(t, before); ok {
			return relay(rest)
		}
	}
	return nil, nil
}
