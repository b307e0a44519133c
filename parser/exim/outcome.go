package exim

import (
	"bytes"

	"repute/delivery"
)

// outcome reads what follows =>, ==, ** (deliver.c: delivery_log,
// deferral_log, failure_log):
//
//	ADDR [<orig>] [F=] [P=] [R=] [T=] [H=name [ip]] [I=[local]:port] [X=] … [C="…"] [QT=] [DT=]
//	ADDR … defer (ERRNO)[: strerror][ H=…]: MESSAGE
//	ADDR … : MESSAGE
func (g *Grammar) outcome(ev *delivery.Event, text []byte) error {
	errno := 0
	recipient, rest := token(bytes.TrimLeft(text, " "))
	if len(recipient) == 0 {
		return g.syntax("exim: delivery line", 0, "no address")
	}
	var message []byte
	if n := len(recipient) - 1; recipient[n] == ':' && recipient[0] != ':' {
		recipient, message = recipient[:n], rest
	} else {
		var err error
		if message, err = g.fields(ev, rest); err != nil {
			return err
		}
		if hasPrefix(message, "defer (") {
			errno, message = g.deferral(ev, message[len("defer ("):])
		}
	}
	ev.Recipient = unbracket(recipient)
	if orig := original(rest); len(orig) > 0 && bytes.IndexByte(recipient, '@') < 0 {
		ev.Recipient = orig // a mailbox, a file, a pipe or :blackhole: stands for it
	}
	g.message(ev, message, errno)
	ev.Local = len(ev.RelayIP) == 0 && len(ev.RelayHost) == 0 && ev.Status == delivery.Sent || loopback(ev.RelayIP)
	ev.Attempted = !ev.Local && attempted(ev, errno)
	return nil
}

// original returns the address in "<bob@example.org> R=…", what the message
// was addressed to before aliases and forward files; nil if none follows.
func original(t []byte) []byte {
	if len(t) < 2 || t[0] != '<' {
		return nil
	}
	tok, _ := token(t)
	return bytes.TrimSuffix(bytes.TrimPrefix(bytes.TrimSuffix(tok, []byte(":")), []byte("<")), []byte(">"))
}

// attempted tells whether a conversation took place or was tried. Errnos −52
// to −57 put the address off without one (macros.h, ERRNO_RRETRY …); a
// failure without a host is a routing matter or the retry time's end.
func attempted(ev *delivery.Event, errno int) bool {
	switch ev.Reply.Failure {
	case delivery.NoAttempt, delivery.RetryOver, delivery.DNSFailure, delivery.LocalFault:
		return false
	}
	if errno <= -52 && errno >= -57 {
		return false
	}
	return len(ev.RelayHost) > 0 || len(ev.RelayIP) > 0 || errno > 0 || ev.Reply.Code != 0
}

// deferral reads "ERRNO)[: strerror][ H=…]: MESSAGE". The system's words are
// followed by H= without any mark between them.
func (g *Grammar) deferral(ev *delivery.Event, t []byte) (errno int, message []byte) {
	end := bytes.IndexByte(t, ')')
	if end < 0 {
		return 0, t
	}
	errno = decimal(bytes.TrimPrefix(t[:end], []byte("-")))
	if t[0] == '-' {
		errno = -errno
	}
	rest := t[end+1:]
	words, direct := bytes.CutPrefix(rest, []byte(": "))
	if !direct {
		message, _ = g.fields(ev, bytes.TrimPrefix(rest, []byte(" ")))
		return errno, message
	}
	const longestStrerror = 60
	if i := bytes.Index(words[:min(len(words), longestStrerror)], []byte(" H=")); i >= 0 && errno >= 0 {
		message, _ = g.fields(ev, words[i+1:])
		if len(message) == 0 {
			message = words[:i]
		}
		return errno, message
	}
	return errno, words
}

// fields reads the key=value fields and returns the message behind them: what
// follows a field that ends in a colon, a lone colon, or the first token that
// is no field.
func (g *Grammar) fields(ev *delivery.Event, t []byte) (message []byte, err error) {
	for len(t) > 0 {
		tok, rest := token(t)
		last := len(tok) > 0 && tok[len(tok)-1] == ':'
		if last {
			tok = tok[:len(tok)-1]
		}
		switch {
		case len(tok) == 0: // two blanks, or a lone colon
		case field(ev, tok):
		case tok[0] == '[':
			ev.RelayIP = bracketed(tok)
		case tok[0] == '<' || tok[0] == '(':
		case mark(tok):
		default:
			return t, nil
		}
		if last {
			return rest, nil
		}
		t = rest
	}
	return nil, nil
}

// mark tells the words that stand between the fields.
func mark(tok []byte) bool {
	switch string(tok) {
	case "K", "L", "L*", "PRDR", "TFO", "TFO*", "DS", "*", "routing":
		return true
	}
	return false
}

// field keeps a field that is wanted and tells whether tok is one.
func field(ev *delivery.Event, tok []byte) bool {
	if len(tok) < 2 || tok[1] != '=' {
		return longField(ev, tok)
	}
	value := tok[2:]
	switch tok[0] {
	case 'H':
		ev.RelayHost = value
	case 'I':
		ev.LocalIP = bracketed(value)
	case 'T':
		ev.Transport = value
	case 'F':
		ev.Sender, ev.HasSender = unbracket(value), true
		ev.Bounce = len(ev.Sender) == 0
	case 'X':
		ev.TLS = value
	case 'C':
		ev.Reply.Text = bytes.Trim(value, `"`)
	case 'R', 'P', 'S', 'Q', 'A':
	default:
		return false
	}
	return true
}

func longField(ev *delivery.Event, tok []byte) bool {
	eq := bytes.IndexByte(tok[:min(len(tok), 5)], '=')
	if eq < 1 {
		return false
	}
	switch string(tok[:eq]) {
	case "QT":
		ev.QueueS = duration(tok[eq+1:])
	case "DT":
		ev.XmitS = duration(tok[eq+1:])
	case "CV", "DN", "DKIM", "PRX", "PS", "id", "SNI":
	default:
		return false
	}
	return true
}

// unbracket drops the <> around an address.
func unbracket(t []byte) []byte {
	if len(t) >= 2 && t[0] == '<' && t[len(t)-1] == '>' {
		return t[1 : len(t)-1]
	}
	return t
}

// bracketed returns the address in "[192.0.2.7]:25*".
func bracketed(b []byte) []byte {
	if len(b) > 0 && b[0] == '[' {
		b = b[1:]
	}
	if i := bytes.IndexByte(b, ']'); i >= 0 {
		return b[:i]
	}
	return b
}

// token splits off the bytes before the next blank outside quotes. C="…" may
// hold anything the receiver likes, with \" for quotes.
func token(t []byte) (tok, rest []byte) {
	end := bytes.IndexByte(t, ' ')
	if end < 0 {
		return t, nil
	}
	// The quote that may hide a blank is near the start: C="…", DN="…",
	// F=<"…"@domain>.
	if len(t) > 4 && t[0] != '"' && t[1] != '"' && t[2] != '"' && t[3] != '"' && t[4] != '"' {
		return t[:end], t[end+1:]
	}
	quoted := false
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '\\':
			if quoted {
				i++
			}
		case '"':
			if quoted || i == 0 || t[i-1] == '=' || t[i-1] == '<' {
				quoted = !quoted
			}
		case ' ':
			if !quoted {
				return t[:i], t[i+1:]
			}
		}
	}
	return t, nil
}

func loopback(ip []byte) bool {
	return hasPrefix(ip, "127.") || string(ip) == "::1"
}

// duration reads "0.158s", "1m37s", "2d3h" as readconf_printtime writes them.
func duration(b []byte) float32 {
	var total, n, scale float64
	digits := false
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			digits = true
			if scale > 0 {
				n += float64(c-'0') * scale
				scale /= 10
			} else {
				n = n*10 + float64(c-'0')
			}
		case c == '.' && scale == 0:
			scale = 0.1
		default:
			unit := unitSeconds(c)
			if unit == 0 || !digits {
				return -1
			}
			total += n * unit
			n, scale, digits = 0, 0, false
		}
	}
	if digits || total > 366*86400 {
		return -1
	}
	return float32(total)
}

func unitSeconds(c byte) float64 {
	switch c {
	case 's':
		return 1
	case 'm':
		return 60
	case 'h':
		return 3600
	case 'd':
		return 86400
	case 'w':
		return 7 * 86400
	}
	return 0
}
