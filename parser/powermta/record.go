package powermta

import (
	"bytes"

	"repute/delivery"
)

// maxCells bounds the columns of a record.
const maxCells = 256

// split cuts a record into its cells, RFC 4180. Cells borrow the line or the
// parser's memory. It is false where a quoted value does not end.
func (l *log) split(line []byte) bool {
	l.cells, l.scratch = l.cells[:0], l.scratch[:0]
	if cap(l.scratch) < len(line) {
		l.scratch = make([]byte, 0, 2*len(line)) // cells point into it: it must not move
	}
	for len(l.cells) < maxCells {
		if len(line) > 0 && line[0] == '"' {
			start := len(l.scratch)
			line = line[1:]
			for {
				i := bytes.IndexByte(line, '"')
				if i < 0 {
					return false
				}
				l.scratch = append(l.scratch, line[:i]...)
				line = line[i+1:]
				if len(line) == 0 || line[0] != '"' {
					break
				}
				l.scratch = append(l.scratch, '"')
				line = line[1:]
			}
			l.cells = append(l.cells, l.scratch[start:])
		} else {
			end := bytes.IndexByte(line, ',')
			if end < 0 {
				end = len(line)
			}
			l.cells = append(l.cells, line[:end])
			line = line[end:]
		}
		if len(line) == 0 || line[0] != ',' {
			break
		}
		line = line[1:]
	}
	return true
}

// reply reads dsnDiag, "smtp;550 5.1.1 …", or PowerMTA's own words; dsnStatus
// is "5.1.1 (bad destination mailbox address)".
func reply(r *delivery.Reply, diag, status []byte, outcome delivery.Status) {
	r.DSN, _ = delivery.ParseEnhanced(status)
	diag = bytes.TrimLeft(bytes.TrimPrefix(diag, []byte("smtp;")), " ")
	if len(diag) >= 3 && '2' <= diag[0] && diag[0] <= '5' && digit(diag[1]) && digit(diag[2]) &&
		(len(diag) == 3 || diag[3] == ' ' || diag[3] == '-') {
		r.Code = uint16(diag[0]-'0')*100 + uint16(diag[1]-'0')*10 + uint16(diag[2]-'0')
		r.Text = diag[min(4, len(diag)):]
		r.Enhanced, _ = delivery.ParseEnhanced(r.Text)
		return
	}
	if outcome == delivery.Sent { // a delivery's reply is not always written
		r.Code, r.Stage = 250, delivery.StageEOD
		return
	}
	r.Text = diag
	if r.Failure = failure(diag); r.Failure == delivery.FailureNone && r.DSN.Class != 0 {
		switch {
		case r.DSN.Subject == 4 && r.DSN.Detail == 4, r.DSN.Subject == 1 && r.DSN.Detail == 2: // RFC 3463: no route, no such domain
			r.Failure = delivery.DNSFailure
		case r.DSN.Subject == 4:
			r.Failure = delivery.ConnectionTimeout
		}
	}
	switch r.Failure {
	case delivery.ConnectionRefused, delivery.ConnectionTimeout, delivery.Unreachable:
		r.Stage = delivery.StageConnect
	}
}

// failure names how it ended without a reply.
func failure(t []byte) delivery.Failure {
	for _, f := range [...]struct {
		words   string
		failure delivery.Failure
	}{
		{"refused", delivery.ConnectionRefused},
		{"no route", delivery.Unreachable},
		{"unreachable", delivery.Unreachable},
		{"onnection timed out", delivery.ConnectionTimeout},
		{"onnection lost", delivery.Lost},
		{"onnection closed", delivery.Lost},
		{"onnection reset", delivery.Lost},
		{"timed out", delivery.ReplyTimeout},
		{"bad domain", delivery.DNSFailure},
		{"MX", delivery.DNSFailure},
		{"DNS", delivery.DNSFailure},
		{"TLS", delivery.TLSFailure},
		{"unable to connect", delivery.ConnectionTimeout},
		{"not attempted", delivery.NoAttempt},
	} {
		if bytes.Contains(t, []byte(f.words)) {
			return f.failure
		}
	}
	return delivery.FailureNone
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
