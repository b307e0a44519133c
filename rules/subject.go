package rules

import (
	"bytes"
	"strings"

	"repute/delivery"
)

// subject is what rules are matched with.
type subject struct {
	text     string // prepared
	reply    *delivery.Reply
	receiver string
	literals *literals
	hits     bits
}

func (s *Set) subject(receiver string, r *delivery.Reply) subject {
	text := prepare(r.Text[:min(len(r.Text), maxText)])
	return subject{text: text, reply: r, receiver: receiver, literals: s.literals, hits: s.literals.find(text)}
}

// prepare returns a reply's words as rules are written: in lower case, one
// blank between two. The codes that continue a reply over lines, as in
// "421-4.7.0 this message is 421-4.7.0 suspicious", would tear phrases apart
// and are left out. So are mail addresses: what stands in them is the name of
// a mailbox, not what the receiver says.
func prepare(text []byte) string {
	out := make([]byte, 0, len(text)+8)
	for len(text) > 0 {
		n := bytes.IndexFunc(text, blank)
		if n < 0 {
			n = len(text)
		}
		word := text[:n]
		text = text[min(n+1, len(text)):]
		if word = uncontinued(word); len(word) == 0 {
			continue
		}
		if len(out) > 0 {
			out = append(out, ' ')
		}
		if bytes.IndexByte(word, '@') < 0 {
			out = append(out, word...)
		} else {
			out = appendUnaddressed(out, word)
		}
	}
	return strings.ToLower(string(out))
}

func blank(c rune) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// uncontinued takes "550-" or "550-5.7.1" from the start of a word.
func uncontinued(word []byte) []byte {
	if len(word) < 4 || word[3] != '-' || word[0] != '2' && word[0] != '4' && word[0] != '5' || countDigits(word[:3]) < 3 {
		return word
	}
	word = word[4:]
	_, n := delivery.ParseEnhanced(word)
	return word[n:]
}

// appendUnaddressed appends a word with "@" for each mail address in it.
func appendUnaddressed(out, word []byte) []byte {
	for len(word) > 0 {
		n := bytes.IndexAny(word, "<>()[]\"',;:")
		if n < 0 {
			n = len(word)
		}
		part := word[:n]
		if at := bytes.IndexByte(part, '@'); at >= 0 { // "allowed...a@example.net"
			out = append(append(out, part[:bytes.LastIndex(part[:at], []byte(".."))+1]...), '@')
		} else {
			out = append(out, part...)
		}
		if n < len(word) {
			out = append(out, word[n])
			n++
		}
		word = word[n:]
	}
	return out
}
