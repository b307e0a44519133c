package postfix

import "bytes"

// splitTag splits "postfix/out2/smtp" into the tag, which may tell the
// sending IP, and the daemon.
func splitTag(program []byte) (tag, daemon []byte) {
	if i := bytes.LastIndexByte(program, '/'); i >= 0 {
		return program[:i], program[i+1:]
	}
	return program, nil // rsyslog cuts the daemon off APP-NAME
}

// ours tells Postfix lines from other programs' lines that start with a word
// and a colon too.
func ours(daemon, program, text []byte) bool {
	if len(daemon) > 0 {
		return !bytes.HasPrefix(program, []byte("exim"))
	}
	if bytes.HasPrefix(program, []byte("postfix")) || bytes.HasPrefix(program, []byte("postsuper")) {
		return true
	}
	return bytes.HasPrefix(text, []byte("to=<")) || bytes.HasPrefix(text, []byte("from=<"))
}

// plainService tells the daemons whose name says nothing about the sending
// address.
func plainService(daemon []byte) bool {
	switch string(daemon) {
	case "", "smtp", "smtpd", "qmgr", "cleanup", "pickup", "bounce", "error", "retry", "local", "virtual", "pipe",
		"lmtp", "discard", "postsuper", "oqmgr", "nqmgr", "trivial-rewrite", "relay":
		return true
	}
	return false
}

// queueID splits "3F2A11C0D5: text".
func queueID(t []byte) (id, rest []byte, ok bool) {
	i := bytes.IndexByte(t[:min(len(t), 25)], ':')
	if i < 0 || i+1 >= len(t) || t[i+1] != ' ' || !isQueueID(t[:i]) {
		return nil, nil, false
	}
	return t[:i], t[i+2:], true
}

// isQueueID knows both kinds: short ids are upper-case hexadecimal, long ones
// use digits and consonants (enable_long_queue_ids in postconf(5)).
func isQueueID(id []byte) bool {
	hex, digits := true, 0
	for _, c := range id {
		switch {
		case '0' <= c && c <= '9':
			digits++
		case 'A' <= c && c <= 'F':
		case 'G' <= c && c <= 'Z', 'b' <= c && c <= 'z' && c != 'e' && c != 'i' && c != 'o' && c != 'u':
			hex = false
		default:
			return false
		}
	}
	return len(id) >= 5 && (hex || len(id) >= 10 && digits > 0)
}

// address reads "<local@domain>" and returns what follows. A quoted local
// part may hold commas, blanks and '>' (RFC 5321 section 4.1.2).
func address(t []byte) (addr, rest []byte, ok bool) {
	if len(t) < 2 || t[0] != '<' {
		return nil, nil, false
	}
	i := 1
	if t[i] == '"' {
		for i++; i < len(t) && t[i] != '"'; i++ {
			if t[i] == '\\' {
				i++
			}
		}
	}
	if i >= len(t) {
		return nil, nil, false
	}
	end := bytes.IndexByte(t[i:], '>')
	if end < 0 {
		return nil, nil, false
	}
	end += i
	return t[1:end], t[end+1:], true
}

// field splits "key=value, rest"; rest starts at the comma.
func field(t []byte) (key, value, rest []byte) {
	end := bytes.IndexByte(t, ',')
	for end >= 0 && end+1 < len(t) && t[end+1] != ' ' {
		next := bytes.IndexByte(t[end+1:], ',')
		if next < 0 {
			end = -1
			break
		}
		end += 1 + next
	}
	if end < 0 || end+1 == len(t) {
		end = len(t)
	}
	pair, rest := t[:end], t[end:]
	if i := bytes.IndexByte(pair, '='); i >= 0 {
		return pair[:i], pair[i+1:], rest
	}
	return pair, nil, rest
}

// decimal reads the digits at the start of b, at most nine.
func decimal(b []byte) int {
	n := 0
	for i := 0; i < len(b) && i < 9 && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + int(b[i]-'0')
	}
	return n
}
