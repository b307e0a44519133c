package rules

import (
	"bytes"
	"slices"
	"strings"
)

// AnotherRecipient stands in a reply's text for a mail address that is not
// the one that the log line is about. docomo answers once for all recipients
// of a message, and names the one that it does not know.
const AnotherRecipient = "<another recipient>"

// TellsRecipients tells whether a rule for this receiver asks which recipient
// a reply names. Only then MarkOthers is worth its time.
func (s *Set) TellsRecipients(receiver string) bool { return s.tells[receiver] }

func (r *Rule) tellsRecipients() bool {
	words := slices.Concat(r.Token, r.Phrase, r.Weak, r.With)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, AnotherRecipient) })
}

// MarkOthers returns a reply's text with AnotherRecipient in the place of
// each mail address, if there are some and none is the recipient's.
func MarkOthers(text, recipient []byte) []byte {
	if bytes.IndexByte(text, '@') < 0 || len(recipient) == 0 {
		return text
	}
	var out []byte
	for rest := text; len(rest) > 0; {
		n := bytes.IndexAny(rest, " <>()[]\"',;:")
		if n < 0 {
			n = len(rest)
		}
		word := bytes.TrimRight(rest[:n], ".")
		switch {
		case bytes.EqualFold(word, recipient):
			return text
		case bytes.IndexByte(word, '@') > 0:
			out = append(out, AnotherRecipient...)
		default:
			out = append(out, rest[:n]...)
		}
		if n < len(rest) {
			out = append(out, rest[n])
			n++
		}
		rest = rest[n:]
	}
	return out
}
