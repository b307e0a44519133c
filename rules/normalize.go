package rules

import "bytes"

// Normalize appends a reply's template to dst: what differs from message to
// message is masked, so that replies that say the same are the same bytes.
// Words with an @ become "@"; addresses, long numbers and ids become "#";
// short numbers stay, they mean something (5.7.1, S3150, OFR_12). It reads
// each byte a few times at most.
func Normalize(dst, text []byte) []byte {
	text = text[:min(len(text), maxText)]
	for i := 0; i < len(text); {
		start := i
		for i < len(text) && !wordBytes[text[i]] {
			i++
		}
		dst = append(dst, text[start:i]...)
		start = i
		digits := 0
		for i < len(text) && wordBytes[text[i]] {
			if c := text[i]; '0' <= c && c <= '9' {
				digits++
			}
			i++
		}
		if w := text[start:i]; bytes.HasSuffix(dst, []byte("AUP#")) {
			dst = append(dst, w...) // Charter's and Cox' codes, the reason
		} else if digits > 0 || bytes.IndexByte(w, '@') >= 0 {
			dst = appendWord(dst, w, digits)
		} else {
			dst = append(dst, w...)
		}
	}
	return dst
}

// appendWord appends a word with the parts masked that are of one message.
func appendWord(dst, w []byte, digits int) []byte {
	if bytes.IndexByte(w, '@') >= 0 {
		return append(dst, '@')
	}
	if i := bytes.IndexByte(w, '='); i >= 0 { // ip=192.0.2.1
		dst = append(dst, w[:i+1]...)
		w = w[i+1:]
	}
	if address(w) || eximID(w) {
		return append(dst, '#')
	}
	// Of names and compound ids each part is looked at: mx7-4f2a99c01b.example.
	start, ids, others := len(dst), 0, 0
	for len(w) > 0 {
		n := bytes.IndexFunc(w, separates)
		if n < 0 {
			n = len(w)
		}
		if part := w[:n]; id(part) {
			ids++
			dst = append(dst, '#')
		} else {
			if countDigits(part) < len(part) {
				others++
			}
			dst = append(dst, part...)
		}
		if n < len(w) {
			dst = append(dst, w[n])
			n++
		}
		w = w[n:]
	}
	if ids > 0 && others == 0 { // 4f2a99c01b-378570.52 is one id
		end := ""
		if c := dst[len(dst)-1]; separates(rune(c)) {
			end = string(c)
		}
		return append(append(dst[:start], '#'), end...)
	}
	return dst
}

// id tells parts of words that are no word: long numbers, hexadecimal, what
// mixes many digits and letters.
func id(part []byte) bool {
	digits := countDigits(part)
	switch letters := len(part) - digits; {
	case letters == 0:
		return digits >= 4
	case digits == 0:
		return false
	default: // not S3150, not RL000010
		return digits >= 3 && len(part) > 8 || len(part) >= 8 && hexadecimal(part)
	}
}

// address tells IP addresses, with a full stop or colon behind them.
func address(w []byte) bool {
	w = bytes.TrimRight(w, ".:")
	if bytes.Count(w, []byte{':'}) >= 2 {
		return hexadecimal(w)
	}
	return bytes.Count(w, []byte{'.'}) == 3 && countDigits(w) == len(w)-3
}

// eximID tells an Exim message id: 1rABCd-0001yz-Xx or the longer kind.
func eximID(w []byte) bool {
	return (len(w) == 16 && w[13] == '-' || len(w) == 23 && w[18] == '-') && w[6] == '-'
}

func countDigits(w []byte) (n int) {
	for _, c := range w {
		if '0' <= c && c <= '9' {
			n++
		}
	}
	return n
}

func hexadecimal(w []byte) bool {
	for _, c := range w {
		if (c < '0' || c > ':') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func separates(c rune) bool {
	return c == '.' || c == ':' || c == '_' || c == '-' || c == '+' || c == '='
}

// wordBytes are the bytes of words, ids and addresses.
var wordBytes = func() (t [256]bool) {
	for c := range t {
		b := byte(c)
		t[c] = '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'z' || b == '@' || b >= 0x80 || separates(rune(b))
	}
	return t
}()
