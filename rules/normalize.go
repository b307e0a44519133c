package rules

// Normalize appends a reply's template to dst: what differs from message to
// message is masked, so that replies that say the same are the same bytes.
// Words with an @ become "@", words in which digits dominate or that mix
// digits and letters over eight characters become "#", other digits stay
// (5.7.1, S3150). It reads each byte once.
func Normalize(dst, text []byte) []byte {
	text = text[:min(len(text), maxText)]
	for i := 0; i < len(text); {
		if !wordByte(text[i]) {
			dst = append(dst, text[i])
			i++
			continue
		}
		start := i
		for i < len(text) && wordByte(text[i]) {
			i++
		}
		dst = appendWord(dst, text[start:i])
	}
	return dst
}

func appendWord(dst, w []byte) []byte {
	digits, letters, dots := 0, 0, 0
	for _, c := range w {
		switch {
		case c == '@':
			return append(dst, '@')
		case '0' <= c && c <= '9':
			digits++
		case c == '.' || c == ':':
			dots++
		default:
			letters++
		}
	}
	switch {
	case digits == 0:
	case letters == 0 && digits >= 4 && (dots != 2 || digits > 7): // numbers and IPv4 addresses; 5.7.1 stays
		return append(dst, '#')
	case letters > 0 && digits >= 3 && letters+digits > 8 && dots == 0: // ids
		return append(dst, '#')
	case dots >= 2 && digits+letters > 3 && hexadecimal(w): // IPv6 addresses
		return append(dst, '#')
	}
	return append(dst, w...)
}

func hexadecimal(w []byte) bool {
	colons := 0
	for _, c := range w {
		if c == ':' {
			colons++
		} else if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return colons >= 2
}

func wordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '@' || c == '.' || c == ':' || c == '_' ||
		c == '-' || c == '+' || c == '=' || c >= 0x80
}
