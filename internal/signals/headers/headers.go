// Package headers reads what the importers need of a mail's header: who handed
// it over, under which ids, from whom to whom. All of it is a stranger's text.
package headers

import (
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"

	"repute/internal/signals/mailauth"
)

// Clean takes the blanks and control characters out of a field's ends.
func Clean(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

// Date reads a header's date (RFC 5322 section 3.3).
func Date(s string) (time.Time, error) { return mail.ParseDate(Clean(s)) }

// Address takes the first mail address out of a field, without <>.
func Address(field string) string {
	field = Clean(field)
	if i := strings.LastIndexByte(field, '<'); i >= 0 {
		field, _, _ = strings.Cut(field[i+1:], ">")
	}
	field, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimSpace(field), "rfc822;"), ",")
	field = strings.Trim(strings.TrimSpace(field), `"'`)
	if strings.ContainsAny(field, " \t") || len(field) > 320 {
		return ""
	}
	return field
}

// CutAddress parts a mail address at its last @.
func CutAddress(a string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(a, '@')
	if i <= 0 || i == len(a)-1 {
		return "", "", false
	}
	return a[:i], a[i+1:], true
}

// Redacted tells whether a provider took the person out of an address
// (RFC 6590 section 2: any text may stand for it, the same for the same
// person). A hashed one can't be told from a name by sight; it then matches
// no recipient of ours.
func Redacted(local string) bool {
	l := strings.ToLower(local)
	return strings.Contains(l, "redact") || strings.ContainsAny(l, "[]*") || strings.Trim(l, "x") == ""
}

// MessageIDs lists a mail's Message-IDs, without <>.
func MessageIDs(h *message.Header) []string {
	var out []string
	for _, name := range []string{"Message-Id", "X-Original-Message-Id", "Original-Message-Id"} {
		if id := strings.Trim(Clean(h.Get(name)), "<>"); id != "" && len(id) < 1000 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// maxReceived bounds the trace headers looked at.
const maxReceived = 30

func received(h *message.Header) []string {
	var out []string
	for f := h.FieldsByKey("Received"); f.Next() && len(out) < maxReceived; {
		out = append(out, strings.Join(strings.Fields(f.Value()), " "))
	}
	return out
}

// HandedOver returns the address that handed the mail to the receiver: that
// of the topmost hop between two organisations. Hops above it are within the
// receiver's own.
func HandedOver(h *message.Header) netip.Addr {
	for _, line := range received(h) {
		from, by, ok := strings.Cut(strings.TrimPrefix(line, "from "), " by ")
		if !ok || mailauth.SameOrganisation(firstWord(from), firstWord(by)) {
			continue
		}
		for _, w := range strings.FieldsFunc(from, func(r rune) bool { return strings.ContainsRune(" ()[]", r) }) {
			ip, err := netip.ParseAddr(strings.TrimPrefix(strings.TrimPrefix(w, "IPv6:"), "ipv6:"))
			if err == nil && !ip.IsLoopback() && !ip.IsPrivate() && !ip.IsLinkLocalUnicast() {
				return ip.Unmap()
			}
		}
	}
	return netip.Addr{}
}

func firstWord(s string) string {
	w, _, _ := strings.Cut(s, " ")
	return w
}

// QueueIDs lists the ids that Received headers name ("with ESMTP id X").
func QueueIDs(h *message.Header) []string {
	var out []string
	for _, line := range received(h) {
		_, rest, ok := strings.Cut(line, " id ")
		if !ok {
			continue
		}
		id, _, _ := strings.Cut(rest, " ")
		id = strings.Trim(id, ";<>()")
		if id != "" && len(id) <= 40 && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// ReceivedFor returns the recipient that a Received header names: "for <a@b>".
func ReceivedFor(h *message.Header) string {
	for _, line := range received(h) {
		if _, rest, ok := strings.Cut(line, " for <"); ok {
			rcpt, _, _ := strings.Cut(rest, ">")
			return rcpt
		}
	}
	return ""
}

// Arrived is when a mail arrived: the stamp of its topmost Received header,
// else its Date.
func Arrived(h *message.Header) (time.Time, error) {
	for _, line := range received(h) {
		if i := strings.LastIndexByte(line, ';'); i >= 0 {
			if t, err := Date(strings.TrimSpace(line[i+1:])); err == nil {
				return t, nil
			}
		}
	}
	return Date(h.Get("Date"))
}
