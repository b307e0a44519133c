package arf

import (
	"net/mail"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message"
	"golang.org/x/net/publicsuffix"
)

// clean takes the blanks and control characters out of a field's ends.
func clean(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f {
			return -1
		}
		return r
	}, s)
}

func parseDate(s string) (time.Time, error) { return mail.ParseDate(clean(s)) }

// address takes the first mail address out of a field, without <>.
func address(field string) string {
	field = clean(field)
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

func cutAddress(a string) (local, domain string, ok bool) {
	i := strings.LastIndexByte(a, '@')
	if i <= 0 || i == len(a)-1 {
		return "", "", false
	}
	return a[:i], a[i+1:], true
}

// redacted tells whether a provider took the person out of an address
// (RFC 6590 section 2: any text may stand for it, the same for the same
// person). A hashed one can't be told from a name by sight; it then matches
// no recipient of ours.
func redacted(local string) bool {
	l := strings.ToLower(local)
	return strings.Contains(l, "redact") || strings.ContainsAny(l, "[]*") || strings.Trim(l, "x") == ""
}

func messageIDs(h *message.Header) []string {
	var out []string
	for _, name := range []string{"Message-Id", "X-Original-Message-Id", "Original-Message-Id"} {
		if id := strings.Trim(clean(h.Get(name)), "<>"); id != "" && len(id) < 1000 && !slices.Contains(out, id) {
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

// handedOver returns the address that handed the mail to the receiver: that
// of the topmost hop between two organisations. Hops above it are within the
// receiver's own.
func handedOver(h *message.Header) netip.Addr {
	for _, line := range received(h) {
		from, by, ok := strings.Cut(strings.TrimPrefix(line, "from "), " by ")
		if !ok || sameOrganisation(firstWord(from), firstWord(by)) {
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

// queueIDs lists the ids that Received headers name ("with ESMTP id X").
func queueIDs(h *message.Header) []string {
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

// receivedFor returns the recipient that a Received header names: "for <a@b>".
func receivedFor(h *message.Header) string {
	for _, line := range received(h) {
		if _, rest, ok := strings.Cut(line, " for <"); ok {
			rcpt, _, _ := strings.Cut(rest, ">")
			return rcpt
		}
	}
	return ""
}

// vouch tells whether a trusted host found the report authentic: its
// Authentication-Results (RFC 8601) pass DKIM or SPF for a domain that
// belongs to the address in From.
func (t Trust) vouch(h *message.Header, from string) bool {
	_, domain, ok := cutAddress(address(from))
	if !ok {
		return false
	}
	for f := h.FieldsByKey("Authentication-Results"); f.Next(); {
		host, results, _ := strings.Cut(f.Value(), ";")
		host, _, _ = strings.Cut(strings.TrimSpace(host), " ")
		if !slices.ContainsFunc(t, func(name string) bool { return strings.EqualFold(name, host) }) {
			continue
		}
		// The receiving host's own header is the topmost; one below it may
		// have come with the mail, under the same name.
		return passes(results, domain)
	}
	return false
}

// passes reads the results of one Authentication-Results header.
func passes(results, domain string) bool {
	for result := range strings.SplitSeq(results, ";") {
		words := strings.Fields(withoutComments(result))
		if len(words) == 0 {
			continue
		}
		var prefix string
		switch strings.ToLower(words[0]) {
		case "dkim=pass":
			prefix = "header.d="
		case "spf=pass":
			prefix = "smtp.mailfrom="
		default:
			continue
		}
		for _, w := range words[1:] {
			value, ok := strings.CutPrefix(strings.ToLower(w), prefix)
			if !ok {
				continue
			}
			if _, d, ok := cutAddress(value); ok {
				value = d
			}
			if sameOrganisation(value, domain) {
				return true
			}
		}
	}
	return false
}

// withoutComments takes RFC 5322 comments out, nested ones too.
func withoutComments(s string) string {
	depth := 0
	return strings.Map(func(r rune) rune {
		switch {
		case r == '(':
			depth++
			return ' '
		case r == ')' && depth > 0:
			depth--
			return ' '
		case depth > 0:
			return -1
		}
		return r
	}, s)
}

// sameOrganisation tells whether two domains have one registrable domain, as
// DMARC's relaxed alignment does (RFC 7489 section 3.1).
func sameOrganisation(a, b string) bool {
	x, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return err == nil && x == y
}
