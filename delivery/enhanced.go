package delivery

import "strconv"

// Enhanced is an enhanced status code, RFC 3463: class, subject, detail.
// The zero value means none.
type Enhanced struct {
	Class           uint8  // 2, 4 or 5
	Subject, Detail uint16 // 0…999
}

// IsZero tells whether there is no code.
func (e Enhanced) IsZero() bool { return e == Enhanced{} }

// String returns "5.7.1", or "" for none.
func (e Enhanced) String() string {
	if e.IsZero() {
		return ""
	}
	b := make([]byte, 0, 9)
	b = strconv.AppendUint(b, uint64(e.Class), 10)
	b = append(b, '.')
	b = strconv.AppendUint(b, uint64(e.Subject), 10)
	b = append(b, '.')
	return string(strconv.AppendUint(b, uint64(e.Detail), 10))
}

// ParseEnhanced reads an enhanced status code at the start of b and returns
// it with the number of bytes it took; 0 if there is none.
func ParseEnhanced(b []byte) (e Enhanced, n int) {
	if len(b) < 5 || b[1] != '.' || (b[0] != '2' && b[0] != '4' && b[0] != '5') {
		return Enhanced{}, 0
	}
	subject, i := digits(b, 2)
	if i == 2 || i >= len(b) || b[i] != '.' {
		return Enhanced{}, 0
	}
	detail, j := digits(b, i+1)
	if j == i+1 || (j < len(b) && isWordByte(b[j])) {
		return Enhanced{}, 0
	}
	return Enhanced{Class: b[0] - '0', Subject: subject, Detail: detail}, j
}

// digits reads at most three digits from b[i:] (RFC 3463 section 2).
func digits(b []byte, i int) (uint16, int) {
	var n uint16
	for end := min(i+3, len(b)); i < end && '0' <= b[i] && b[i] <= '9'; i++ {
		n = n*10 + uint16(b[i]-'0')
	}
	return n, i
}

func isWordByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' || c == '.'
}
