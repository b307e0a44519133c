// Package envelope reads what stands around an MTA's own text in a log line:
// stamp, host, program, process id. It knows nothing of mail.
package envelope

import (
	"bytes"
	"time"
)

// Envelope is a log line taken apart. Its fields borrow the line.
type Envelope struct {
	At      int64 // Unix microseconds; 0 where the line has no stamp of its own
	Host    []byte
	Program []byte // "postfix/smtp", "exim", without pid and colon
	Text    []byte // the program's own text
}

// Reader takes lines apart. It keeps what a stamp without a year needs: the
// newest time seen.
type Reader struct {
	clock Clock
}

// New returns a reader for one stream; parser.Options says what the arguments
// mean.
func New(zone *time.Location, reference, after time.Time, year int) *Reader {
	return &Reader{clock: newClock(zone, reference, after, year)}
}

// Read takes a syslog line apart and fills e. ok is false if the line starts
// with no stamp that is known here. A stamp that is none (month 13) gives At 0
// and ok true.
func (r *Reader) Read(e *Envelope, line []byte) (ok bool) {
	if len(line) > 3 && (line[0] == '<' || line[0] == 0xef) {
		rest, pri := skipPRI(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		if pri && len(rest) > 2 && rest[0] == '1' && rest[1] == ' ' {
			return r.rfc5424(e, rest[2:])
		}
		line = rest
	}
	if !r.rfc3164(e, line) {
		return false
	}
	if len(e.Host) > 0 && e.Host[0] == '[' {
		return false // "[1234]": Exim's own log, where a pid follows the stamp
	}
	// A whole line in another's text: a container's log that the host's syslog
	// passes on.
	if text := e.Text; len(text) >= 40 && text[3] == ' ' && 'A' <= text[0] && text[0] <= 'S' {
		var inner Envelope
		if r.rfc3164(&inner, text) && len(inner.Program) > 0 {
			*e = inner
		}
	}
	return true
}

// rfc3164 reads "STAMP HOST PROGRAM[PID]: TEXT", with any stamp.
func (r *Reader) rfc3164(e *Envelope, line []byte) (ok bool) {
	at, rest, ok := r.clock.stamp(line)
	if !ok {
		return false
	}
	e.At = at
	e.Host, rest = word(rest)
	e.Program, e.Text = program(rest)
	return true
}

// Stamp reads a stamp at the start of b and returns what follows it.
func (r *Reader) Stamp(b []byte) (at int64, rest []byte, ok bool) { return r.clock.stamp(b) }

// skipPRI drops "<22>", RFC 3164 section 4.1.1.
func skipPRI(b []byte) ([]byte, bool) {
	if len(b) < 3 || b[0] != '<' {
		return b, false
	}
	for i := 1; i < len(b) && i < 5; i++ {
		if b[i] == '>' {
			return b[i+1:], i > 1
		}
		if b[i] < '0' || b[i] > '9' {
			break
		}
	}
	return b, false
}

// rfc5424 reads "STAMP HOST APP PROCID MSGID SD MSG", RFC 5424 section 6.
func (r *Reader) rfc5424(e *Envelope, b []byte) (ok bool) {
	at, b, ok := r.clock.stamp(b)
	if !ok {
		return false
	}
	e.At = at
	e.Host, b = word(b)
	e.Program, b = word(b)
	_, b = word(b) // PROCID
	_, b = word(b) // MSGID
	b, ok = skipStructuredData(b)
	b = bytes.TrimLeft(b, " ")
	e.Text = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	return ok
}

// skipStructuredData drops "-" or "[id name=\"value\"]…", RFC 5424 section 6.3.
func skipStructuredData(b []byte) ([]byte, bool) {
	if len(b) > 0 && b[0] == '-' {
		return b[1:], true
	}
	for len(b) > 0 && b[0] == '[' {
		quoted, i := false, 1
		for ; i < len(b); i++ {
			switch {
			case b[i] == '\\' && quoted:
				i++
			case b[i] == '"':
				quoted = !quoted
			case b[i] == ']' && !quoted:
				goto closed
			}
		}
		return nil, false
	closed:
		b = b[i+1:]
	}
	return b, true
}

// program splits "postfix/smtp[558]: text". Solaris puts "[ID 197553
// mail.info] " before the text.
func program(b []byte) (name, text []byte) {
	const stop = 1 | 1<<(':'-' ') | 1<<('['-' ') // bits counted from the blank
	i := 0
	for i < len(b) && stop>>(b[i]-' ')&1 == 0 {
		i++
	}
	name = b[:i]
	if i < len(b) && b[i] == '[' {
		for i++; i < len(b) && b[i] != ']' && b[i] != ' '; {
			i++
		}
		i++ // a blank may stand there where the colon is missing
	}
	if i >= len(b) || b[i] != ':' && (b[i] != ' ' || i == 0 || b[i-1] != ']') {
		return nil, b // "last message repeated 3 times"
	}
	for i++; i < len(b) && b[i] == ' '; {
		i++
	}
	text = b[i:]
	if len(text) > 4 && string(text[:4]) == "[ID " {
		if i := bytes.Index(text, []byte("] ")); i >= 0 {
			text = text[i+2:]
		}
	}
	return name, text
}

// word splits off the bytes before the next blank.
func word(b []byte) (first, rest []byte) {
	if i := bytes.IndexByte(b, ' '); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
