package reports

import "strings"

// Printable makes log text safe for a terminal: control characters, C1,
// bidirectional marks and invalid UTF-8 become "?".
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r < 0x20, r == 0x7f, 0x80 <= r && r < 0xa0, r == 0xfffd, r == 0x061c, r == 0xfeff,
			0x200e <= r && r <= 0x200f, 0x2028 <= r && r <= 0x202e, 0x2066 <= r && r <= 0x2069:
			return '?'
		}
		return r
	}, s)
}
