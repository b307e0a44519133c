// Package rules tells what a reply means and who gave it. The rules are data:
// TOML files that a postmaster can read and extend, each rule with the
// examples that prove it.
package rules

import (
	"fmt"
	"regexp"
	"strings"

	"repute/delivery"
)

// Rule is one entry of reasons/*.toml. All conditions that are given must
// hold; of the literals one is enough.
type Rule struct {
	ID       string   `toml:"id"`
	Receiver []string `toml:"receiver"` // receiver ids; none: any receiver
	Code     []string `toml:"code"`     // "550", "4xx", "none" (no reply)
	Enhanced []string `toml:"enhanced"` // "5.7.1", "x.7.1", "5.7.x"
	Stage    []string `toml:"stage"`    // delivery.Stage words
	Failure  []string `toml:"failure"`  // delivery.Failure words
	Token    []string `toml:"token"`    // a provider's own mark: "S3150", "[TSS04]"
	Phrase   []string `toml:"phrase"`   // words that say it
	Weak     []string `toml:"weak"`     // words that say it unless others say something else
	With     []string `toml:"with"`     // words of which one must stand beside those
	Regexp   string   `toml:"regexp"`   // RE2, on the first 512 bytes in lower case; an address may be "…"
	Vague    bool     `toml:"vague"`    // the words are used for anything: less than an enhanced code
	Firm     bool     `toml:"firm"`     // the enhanced code says it whatever the words are

	Reason     string   `toml:"reason"`
	About      string   `toml:"about"`
	Permanent  bool     `toml:"permanent"` // refuses for good, whatever the code
	Confidence float32  `toml:"confidence"`
	Advice     string   `toml:"advice"` // what the receiver says to do
	Link       string   `toml:"link"`
	Source     string   `toml:"source"`
	Seen       string   `toml:"seen"` // date the text was last known to be in use
	Examples   []string `toml:"examples"`
	Counter    []string `toml:"counter"` // replies that it must not win

	file    string
	reason  delivery.Reason
	about   delivery.About
	re      *regexp.Regexp
	codes   codeSet
	tokens  []int32 // literals
	phrases []int32
	weak    []int32
	with    []int32
	enhance []enhancedPattern
}

// compile checks a rule and prepares it for matching.
func (r *Rule) compile(l *literals) error {
	if r.ID == "" {
		return fmt.Errorf("a rule has no id")
	}
	var ok bool
	if r.reason, ok = delivery.ParseReason(r.Reason); !ok {
		return fmt.Errorf("rule %s: reason %q is not in the list", r.ID, r.Reason)
	}
	if r.about, ok = parseAbout(r.About, r.reason); !ok {
		return fmt.Errorf("rule %s: about %q is not in the list", r.ID, r.About)
	}
	if len(r.Examples) == 0 {
		return fmt.Errorf("rule %s has no example", r.ID)
	}
	if r.Regexp != "" {
		var err error
		if r.re, err = regexp.Compile(r.Regexp); err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
	}
	if err := r.codes.parse(r.Code); err != nil {
		return fmt.Errorf("rule %s: %w", r.ID, err)
	}
	for _, word := range r.Enhanced {
		p, err := parseEnhancedPattern(word)
		if err != nil {
			return fmt.Errorf("rule %s: %w", r.ID, err)
		}
		r.enhance = append(r.enhance, p)
	}
	r.tokens, r.phrases = l.add(lower(r.Token)), l.add(lower(r.Phrase))
	r.weak, r.with = l.add(lower(r.Weak)), l.add(lower(r.With))
	if r.Confidence == 0 {
		r.Confidence = r.defaultConfidence()
	}
	return nil
}

func (r *Rule) defaultConfidence() float32 {
	switch {
	case len(r.tokens) > 0:
		return 0.95
	case r.Firm || len(r.phrases) > 0 || r.re != nil || len(r.Failure) > 0:
		return 0.8
	case len(r.Enhanced) > 0:
		return 0.5
	}
	return 0.3
}

// parseAbout reads about; where it is left out, the reason tells.
func parseAbout(word string, reason delivery.Reason) (delivery.About, bool) {
	if word != "" {
		for a := delivery.AboutIP; a <= delivery.AboutReceiver; a++ {
			if a.String() == word {
				return a, true
			}
		}
		return delivery.AboutNone, false
	}
	switch reason {
	case delivery.ReputationIP, delivery.Blocklist, delivery.RateLimit, delivery.Spamtrap:
		return delivery.AboutIP, true
	case delivery.ReputationDomain, delivery.Auth:
		return delivery.AboutDomain, true
	case delivery.ContentSpam, delivery.Size:
		return delivery.AboutContent, true
	case delivery.UnknownUser, delivery.MailboxFull, delivery.InactiveUser:
		return delivery.AboutRecipient, true
	case delivery.Network, delivery.System:
		return delivery.AboutReceiver, true
	}
	return delivery.AboutNone, true
}

func lower(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = strings.ToLower(w)
	}
	return out
}
