package postfix

import (
	"bytes"

	"repute/delivery"
)

// outcome reads a delivery line; one printf writes them all (log_adhoc.c):
//
//	to=<R>[, orig_to=<O>], relay=X[, conn_use=N], delay=T[, delays=a/b/c/d]
//	[, tls=F][, dsn=D], status=S (TEXT)
//
// status= counts only at its place: a reply that holds "status=sent" can't
// forge one, because fields are read in order and a reply comes last.
func (g *Grammar) outcome(ev *delivery.Event, daemon, text []byte) error {
	recipient, rest, ok := address(text[len("to="):])
	if !ok {
		return g.cut(ev, text, "the recipient does not end")
	}
	ev.Recipient = recipient
	for len(rest) > 3 && rest[0] == ',' && rest[1] == ' ' {
		rest = rest[2:]
		if rest[0] == 's' && hasPrefix(rest, "status=") {
			return g.status(ev, daemon, rest[len("status="):])
		}
		if rest[0] == 'o' && hasPrefix(rest, "orig_to=<") {
			if _, rest, ok = address(rest[len("orig_to="):]); !ok {
				return g.cut(ev, text, "orig_to does not end")
			}
			continue
		}
		if n := quickField(ev, rest); n > 0 && n < len(rest) && rest[n] == ',' {
			rest = rest[n:]
			continue
		}
		var key, value []byte
		key, value, rest = field(rest)
		switch string(key) {
		case "relay":
			ev.RelayHost, ev.RelayIP = relay(value)
		case "tls":
			ev.TLS = value
		}
	}
	return g.cut(ev, text, "no status=")
}

// quickField reads the fields whose values end by themselves and tells how
// many bytes it took.
func quickField(ev *delivery.Event, t []byte) int {
	switch t[0] {
	case 'd':
		switch {
		case hasPrefix(t, "delay="):
			_, n := seconds(t[len("delay="):])
			return len("delay=") + n
		case hasPrefix(t, "delays="):
			return len("delays=") + delays(ev, t[len("delays="):])
		case hasPrefix(t, "dsn="):
			dsn, n := delivery.ParseEnhanced(t[len("dsn="):])
			ev.Reply.DSN = dsn
			return len("dsn=") + n
		}
	case 'c':
		if hasPrefix(t, "conn_use=") {
			_, n := seconds(t[len("conn_use="):])
			return len("conn_use=") + n
		}
	}
	return 0
}

// cut is the exit for a line that ends before its status: rsyslog cuts at its
// maxMessageSize. What was read is kept, no outcome is claimed.
func (g *Grammar) cut(ev *delivery.Event, text []byte, msg string) error {
	if bytes.HasSuffix(text, []byte(")")) {
		return g.syntax("postfix: delivery line", text, len(text), msg)
	}
	ev.Kind, ev.Truncated = delivery.Noted, true
	return nil
}

func (g *Grammar) status(ev *delivery.Event, daemon, text []byte) error {
	word, reason := text, []byte(nil)
	for i, c := range text {
		if c == ' ' {
			word, reason = text[:i], text[i+1:]
			break
		}
	}
	ev.Kind = delivery.Attempt
	switch string(bytes.TrimSuffix(word, []byte(","))) {
	case "sent":
		ev.Status = delivery.Sent
	case "deferred":
		ev.Status = delivery.Deferred
	case "bounced", "SOFTBOUNCE": // soft_bounce=yes writes the latter (bounce.c)
		ev.Status = delivery.Bounced
	case "expired", "force-expired":
		ev.Kind, ev.Status = delivery.Expired, delivery.StatusExpired
	case "deliverable":
		ev.Kind, ev.Status = delivery.Probe, delivery.Deliverable
	case "undeliverable", "undeliverable-but-not-cached":
		ev.Kind, ev.Status = delivery.Probe, delivery.Undeliverable
	default:
		if len(reason) == 0 { // cut inside the word
			ev.Kind, ev.Truncated = delivery.Noted, true
			return nil
		}
		return g.syntax("postfix: status", text, 0, "unknown status")
	}
	g.reason(ev, daemon, reason)
	return nil
}

// reason reads "(TEXT)" and decides whether there was an attempt at all.
func (g *Grammar) reason(ev *delivery.Event, daemon, text []byte) {
	text = bytes.TrimPrefix(text, []byte("("))
	if n := len(text); n > 0 && text[n-1] == ')' {
		text = text[:n-1]
	} else {
		ev.Truncated = true
	}
	ev.Local = localDelivery(daemon, ev, text)
	dropPath(ev)
	g.words(&ev.Reply, text)
	if ev.Local {
		if i := bytes.LastIndex(text, []byte("queued as ")); i >= 0 {
			ev.NewID = text[i+len("queued as "):]
		}
		return
	}
	noRelay := len(ev.RelayHost) == 0
	tried := !noRelay || hasPrefix(text, "connect to ")
	ev.Attempted = tried && ev.Reply.Failure != delivery.NoAttempt && ev.Kind == delivery.Attempt
	if noRelay {
		ev.RelayHost, ev.RelayIP = namedHost(text)
	}
}

// dropPath drops a unix socket's path, which is no address.
func dropPath(ev *delivery.Event) {
	if bytes.IndexByte(ev.RelayIP, '/') >= 0 {
		ev.RelayIP = nil
	}
}

// relay reads "host[address]:port" or "none". A name without brackets is a
// local transport and names no host.
func relay(v []byte) (host, ip []byte) {
	open := bytes.IndexByte(v, '[')
	if open < 0 {
		return nil, nil
	}
	end := bytes.IndexByte(v[open:], ']')
	if end < 0 {
		return v[:open], nil
	}
	return v[:open], v[open+1 : open+end]
}

// localDelivery tells mail that stays in the house: local(8), virtual(8),
// pipe(8), lmtp(8), a unix socket, or a content filter on the loopback.
func localDelivery(daemon []byte, ev *delivery.Event, text []byte) bool {
	switch string(daemon) {
	case "smtp":
	case "local", "virtual", "pipe", "spawn", "lmtp", "discard":
		return true
	}
	if len(ev.RelayIP) == 0 {
		return false
	}
	return ev.RelayIP[0] == '/' || hasPrefix(ev.RelayIP, "private/") || hasPrefix(ev.RelayIP, "public/") ||
		hasPrefix(ev.RelayIP, "127.") || string(ev.RelayIP) == "::1" || fromFilter(text)
}

// fromFilter knows amavisd, which says whose reply it passes on: "250 2.0.0
// from MTA(smtp:[…]:10025): 250 …", once "250 2.6.0 Ok, id=00044-20, from
// MTA([…]:10025): 250 …".
func fromFilter(text []byte) bool {
	const head = "250 2.0.0"
	if len(text) < len(head)+16 || text[0] != '2' {
		return false
	}
	for _, t := range [...][]byte{text[3:], text[len(head):]} {
		if hasPrefix(t, " from MTA(") {
			return true
		}
	}
	return hasPrefix(text[len(head):], " Ok, id=") && bytes.Contains(text[:min(len(text), 60)], []byte(", from MTA("))
}

// delays reads "a/b/c/d" in seconds: before qmgr, in qmgr, connection,
// transmission; and tells how many bytes it took. a includes earlier retries,
// so only c and d tell of this attempt.
func delays(ev *delivery.Event, v []byte) (used int) {
	var parts [4]float64
	for i := range parts {
		s, n := seconds(v[used:])
		parts[i], used = s, used+n
		if n == 0 || (i < 3) != (used < len(v) && v[used] == '/') {
			return used
		}
		if i < 3 {
			used++
		}
	}
	ev.QueueS, ev.ConnS, ev.XmitS = float32(parts[0]+parts[1]), float32(parts[2]), float32(parts[3])
	return used
}

// seconds reads a decimal fraction at the start of b, at most a year's worth,
// and tells how many bytes it took; 0 if there is none.
func seconds(b []byte) (s float64, used int) {
	n, i, point := int64(0), 0, -1
	for ; i < len(b) && i < 16; i++ {
		if c := b[i] - '0'; c <= 9 {
			n = n*10 + int64(c)
		} else if b[i] == '.' && point < 0 {
			point = i
		} else {
			break
		}
	}
	s = float64(n)
	if point >= 0 {
		s /= powers[i-point-1]
	}
	return min(s, 366*86400), i
}

// powers of ten.
var powers = [16]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}
