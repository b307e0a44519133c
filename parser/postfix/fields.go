package postfix

import "bytes"

// splitTag splits "postfix/out2/smtp" into the tag, which may tell the
// sending IP, and the daemon.
func splitTag(program []byte) (tag, daemon []byte) {
	for i := len(program) - 1; i >= 0; i-- {
		if program[i] == '/' {
			return program[:i], program[i+1:]
		}
	}
	return program, nil // rsyslog cuts the daemon off APP-NAME
}

// ours tells Postfix lines from other programs' lines that start with a word
// and a colon too.
func ours(daemon, program, text []byte) bool {
	if len(daemon) > 0 {
		return !hasPrefix(program, "exim")
	}
	if hasPrefix(program, "postfix") || hasPrefix(program, "postsuper") {
		return true
	}
	for _, sendmail := range [...]string{"sendmail", "sm-mta", "sm-msp"} { // writes to=< and from=<, too
		if hasPrefix(program, sendmail) {
			return false
		}
	}
	for _, start := range [...]string{"to=<", "from=<", "client=", "message-id=<", "host ", "lost connection with ", "conversation with ", "status="} {
		if hasPrefix(text, start) {
			return true
		}
	}
	return string(text) == "removed"
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
	hex, i := uint64(1), 0
	for ; i < len(t) && t[i] != ':'; i++ { // without branches: the digits are random
		if i == maxQueueID {
			return nil, nil, false
		}
		hex &= idHex >> (t[i] - '0')
	}
	if i < minQueueID || i+1 >= len(t) || t[i+1] != ' ' || hex != 1 && !isLongQueueID(t[:i]) {
		return nil, nil, false
	}
	return t[:i], t[i+2:], true
}

// The lengths of queue ids that are known here.
const (
	minQueueID     = 5
	minLongQueueID = 10
	maxQueueID     = 24
)

// The characters of queue ids, as bits counted from '0' and from 'p'.
const (
	idDigits  = 1<<10 - 1
	idHex     = idDigits | (1<<6-1)<<('A'-'0')
	idCapital = (1<<26 - 1) << ('A' - '0') // no vowels in truth, but in many an anonymised log
	idSmall   = (1<<('p'-'b') - 1 - 1<<('e'-'b') - 1<<('i'-'b') - 1<<('o'-'b')) << ('b' - '0')
	idLate    = 1<<('z'-'p'+1) - 1 - 1<<('u'-'p')
)

// isQueueID knows both kinds: short ids are upper-case hexadecimal, long ones
// use digits and consonants (enable_long_queue_ids in postconf(5)).
func isQueueID(id []byte) bool {
	hex := uint64(1)
	for _, c := range id {
		hex &= idHex >> (c - '0')
	}
	return len(id) >= minQueueID && hex == 1 || isLongQueueID(id)
}

func isLongQueueID(id []byte) bool {
	long, digits := uint64(1), uint64(0)
	for _, c := range id {
		bit, late := c-'0', c-'p'
		long &= (idDigits|idCapital|idSmall)>>bit | idLate>>late
		digits |= idDigits >> bit
	}
	return len(id) >= minLongQueueID && long == 1 && digits&1 == 1
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
	for i, c := range pair {
		if c == '=' {
			return pair[:i], pair[i+1:], rest
		}
	}
	return pair, nil, rest
}

// digits reads the digits at the start of b, at most fifteen.
func digits(b []byte) (n int64, rest []byte) {
	i := 0
	for i < len(b) && i < 15 && b[i]-'0' <= 9 {
		n = n*10 + int64(b[i]-'0')
		i++
	}
	return n, b[i:]
}
