package exim

import (
	"bytes"

	"repute/delivery"
)

// message reads Exim's words about an outcome: the receiver's reply where
// there is one (transports/smtp.c), else how it ended.
func (g *Grammar) message(ev *delivery.Event, m []byte, errno int) {
	r := &ev.Reply
	if len(r.Text) > 0 { // C="250 OK…"
		r.Stage = delivery.StageEOD
		g.reply(r, r.Text)
		return
	}
	if hasPrefix(m, ": ") {
		m = m[2:]
	}
	if i := bytes.LastIndexByte(m, ' '); i >= 0 && hasPrefix(m[i:], " DT=") {
		if d := duration(m[i+4:]); d >= 0 {
			ev.XmitS, m = d, m[:i]
		}
	}
	r.Text = m
	after, isError := afterCommand(m)
	switch {
	case isError:
		command, reply := splitReply(ev, after)
		r.Stage = commandStage(command)
		g.reply(r, reply)
		if r.Code == 0 {
			r.Failure = delivery.Lost
		}
	default:
		r.Failure = failure(m, errno)
		switch r.Failure {
		case delivery.ConnectionRefused, delivery.ConnectionTimeout, delivery.Unreachable:
			r.Stage = delivery.StageConnect
		case delivery.TLSFailure:
			r.Stage = delivery.StageTLS
		case delivery.NoAttempt, delivery.RetryOver, delivery.DNSFailure:
		default:
			r.Stage = stage(m)
		}
	}
	switch errno { // the number knows better than the words where PIPELINING or CHUNKING is used
	case -44:
		r.Stage = delivery.StageRcpt
	case -45:
		r.Stage = delivery.StageMail
	case -46:
		r.Stage = delivery.StageEOD
	}
}

// afterCommand returns what follows "SMTP error from remote mail server
// after "; Exim up to 4.7x wrote "remote mailer".
func afterCommand(m []byte) ([]byte, bool) {
	const now, once = "SMTP error from remote mail server after ", "SMTP error from remote mailer after "
	if hasPrefix(m, now) {
		return m[len(now):], true
	}
	if len(m) < len(once) {
		return nil, false
	}
	for _, head := range [...]string{now, once} {
		if i := index(m[:min(len(m), 40+len(head))], head); i >= 0 {
			return m[i+len(head):], true
		}
	}
	return nil, false
}

// splitReply splits "RCPT TO:<a@b>: host mx [ip]: 550 …" into command and
// reply. The address is skipped as one piece: its local part may hold
// anything.
func splitReply(ev *delivery.Event, t []byte) (command, reply []byte) {
	from := 0
	if i := bytes.Index(t[:min(len(t), 42)], []byte(":<")); i >= 0 {
		if j := bytes.IndexByte(t[i:], '>'); j >= 0 {
			from = i + j
		}
	}
	for {
		i := bytes.Index(t[from:], []byte(": "))
		if i < 0 {
			return t, nil
		}
		i += from
		if isReply(t[i+2:]) {
			return t[:i], t[i+2:]
		}
		if host, ok := bytes.CutPrefix(t[i+2:], []byte("host ")); ok && len(ev.RelayHost) == 0 {
			var ip []byte
			ev.RelayHost, ip = token(host)
			ev.RelayIP = bracketed(ip)
		}
		from = i + 2
	}
}

// isReply tells whether t starts with a reply code, RFC 5321 section 4.2.
func isReply(t []byte) bool {
	return len(t) >= 3 && '2' <= t[0] && t[0] <= '9' && '0' <= t[1] && t[1] <= '9' && '0' <= t[2] && t[2] <= '9' &&
		(len(t) == 3 || t[3] == ' ' || t[3] == '-')
}

// reply takes a reply apart. Exim prints the line ends of a reply as the two
// characters \n (string_printing), so "550-5.7.1 a\n550 5.7.1 b" becomes
// "5.7.1 a b".
func (g *Grammar) reply(r *delivery.Reply, t []byte) {
	r.Text = t
	if !isReply(t) {
		return
	}
	r.Code = uint16(t[0]-'0')*100 + uint16(t[1]-'0')*10 + uint16(t[2]-'0')
	code := t[:3]
	t = t[min(4, len(t)):]
	var n int
	r.Enhanced, n = delivery.ParseEnhanced(t)
	enhanced := t[:n]
	r.Text = t
	if lineEnd(t) < 0 {
		return
	}
	g.scratch = g.scratch[:0]
	for first := true; len(t) > 0; first = false {
		var line []byte
		if i := lineEnd(t); i >= 0 {
			line, t = t[:i], t[i+2:]
		} else {
			line, t = t, nil
		}
		if !first {
			if bytes.HasPrefix(line, code) && len(line) >= 4 && (line[3] == '-' || line[3] == ' ') {
				line = line[4:]
			}
			if n > 0 && bytes.HasPrefix(line, enhanced) {
				line = bytes.TrimPrefix(line[n:], []byte(" "))
			}
			g.scratch = append(g.scratch, ' ')
		}
		g.scratch = append(g.scratch, bytes.TrimRight(line, " ")...)
	}
	r.Text = g.scratch
}

// lineEnd finds the two characters that stand for a line end.
func lineEnd(t []byte) int {
	for from := 0; ; {
		i := bytes.IndexByte(t[from:], '\\')
		if i < 0 || from+i+1 == len(t) {
			return -1
		}
		if from += i + 1; t[from] == 'n' {
			return from - 1
		}
	}
}

// commandStage names the stage of a command that a reply answers.
func commandStage(t []byte) delivery.Stage {
	if hasPrefix(t, "pipelined ") {
		t = t[len("pipelined "):]
	}
	switch {
	case hasPrefix(t, "RCPT TO"):
		return delivery.StageRcpt
	case hasPrefix(t, "MAIL FROM"):
		return delivery.StageMail
	case hasPrefix(t, "end of data"):
		return delivery.StageEOD
	case hasPrefix(t, "initial connection"):
		return delivery.StageConnect
	}
	return stage(t)
}

// stage finds in Exim's words at which stage it happened.
func stage(t []byte) delivery.Stage {
	for _, s := range [...]struct {
		word  string
		stage delivery.Stage
	}{
		{"initial connection", delivery.StageConnect},
		{"end of data", delivery.StageEOD},
		{"data block", delivery.StageEOD},
		{"RCPT TO", delivery.StageRcpt},
		{"MAIL FROM", delivery.StageMail},
		{"DATA", delivery.StageData},
		{"EHLO", delivery.StageHelo},
		{"HELO", delivery.StageHelo},
		{"STARTTLS", delivery.StageTLS},
		{"AUTH", delivery.StageAuth},
	} {
		if index(t[:min(len(t), 60+len(s.word))], s.word) >= 0 {
			return s.stage
		}
	}
	return delivery.StageNone
}

// failure names how it ended without a reply. Positive errnos are the
// system's and differ between systems: the words decide.
func failure(m []byte, errno int) delivery.Failure {
	if errno <= -52 && errno >= -57 {
		return delivery.NoAttempt
	}
	for _, f := range [...]struct {
		words   string
		failure delivery.Failure
	}{
		{"retry timeout exceeded", delivery.RetryOver},
		{"have been failing for a long time", delivery.RetryOver},
		{"retry time not reached", delivery.NoAttempt},
		{"domain matches queue_smtp_domains", delivery.NoAttempt},
		{"host lookup did not complete", delivery.DNSFailure},
		{"Unrouteable address", delivery.DNSFailure},
		{"all relevant MX records point to non-existent hosts", delivery.DNSFailure},
		{"host lookup failed", delivery.DNSFailure},
		{"SMTP timeout", delivery.ReplyTimeout}, // "SMTP timeout after EHLO x: Connection timed out": connected, then silence
		{"Connection refused", delivery.ConnectionRefused},
		{"onnection timed out", delivery.ConnectionTimeout},
		{"No route to host", delivery.Unreachable},
		{"Network is unreachable", delivery.Unreachable},
		{"Network Error", delivery.Unreachable},
		{"closed connection", delivery.Lost},
		{"Connection reset", delivery.Lost},
		{"Broken pipe", delivery.Lost},
		{"Malformed SMTP reply", delivery.Lost},
		{"bad first read from TLS", delivery.Lost},
		{"TLS", delivery.TLSFailure},
	} {
		if index(m, f.words) >= 0 {
			return f.failure
		}
	}
	switch {
	case errno == -18:
		return delivery.Lost
	case errno == -36, errno == -1:
		return delivery.DNSFailure
	case errno == -37, errno == -38:
		return delivery.TLSFailure
	case len(m) == 0:
		return delivery.FailureNone
	}
	return delivery.LocalFault
}

// index is bytes.Index for words in a table: turning a long string into bytes
// would allocate for every line.
func index(b []byte, words string) int {
	for from := 0; ; {
		i := bytes.IndexByte(b[from:], words[0])
		if i < 0 || from+i+len(words) > len(b) {
			return -1
		}
		i += from
		if string(b[i:i+len(words)]) == words {
			return i
		}
		from = i + 1
	}
}
