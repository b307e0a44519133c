// Package mailauth tells whether a report that came by mail is from whom it
// says: anybody can send one.
package mailauth

import (
	"net/mail"
	"slices"
	"strings"

	"github.com/emersion/go-message/textproto"
	"golang.org/x/net/publicsuffix"
)

// Trust names the hosts whose Authentication-Results headers are believed
// ([RFC 8601] section 5): those of the user's own mail servers. None: no
// report is verified. "*" stands for any and vouches for every report: the
// user says that they came by a way that strangers can't use.
//
// [RFC 8601]: https://www.rfc-editor.org/rfc/rfc8601
type Trust []string

// All is the Trust that vouches for every report.
const All = "*"

// Domain returns the domain of a From header, "" if it names no single one.
func Domain(from string) string {
	list, err := mail.ParseAddressList(from)
	if err != nil || len(list) != 1 {
		return ""
	}
	return strings.ToLower(list[0].Address[strings.LastIndexByte(list[0].Address, '@')+1:])
}

// Vouch tells whether a trusted host found the report authentic: its
// Authentication-Results (RFC 8601) pass DKIM or SPF for a domain that
// belongs to the address in From.
func (t Trust) Vouch(h *textproto.Header, from string) bool {
	if slices.Contains(t, All) {
		return true
	}
	domain := Domain(from)
	if domain == "" {
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
			if i := strings.LastIndexByte(value, '@'); i >= 0 {
				value = value[i+1:]
			}
			if SameOrganisation(value, domain) {
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

// SameOrganisation tells whether two domains have one registrable domain, as
// DMARC's relaxed alignment does (RFC 7489 section 3.1).
func SameOrganisation(a, b string) bool {
	x, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return err == nil && x == y
}
