package rules

import (
	"fmt"
	"slices"
	"strings"

	"repute/delivery"
)

// codeSet is a set of reply codes: single ones and classes.
type codeSet struct {
	any     bool
	none    bool // no reply at all
	classes [10]bool
	codes   []uint16
}

func (s *codeSet) parse(words []string) error {
	s.any = len(words) == 0
	for _, w := range words {
		switch {
		case w == "none":
			s.none = true
		case len(w) == 3 && w[1:] == "xx" && '2' <= w[0] && w[0] <= '5':
			s.classes[w[0]-'0'] = true
		default:
			var n uint16
			if _, err := fmt.Sscanf(w, "%d", &n); err != nil || n < 200 || n > 599 {
				return fmt.Errorf("code %q: want 550, 4xx or none", w)
			}
			s.codes = append(s.codes, n)
		}
	}
	return nil
}

func (s *codeSet) has(code uint16) bool {
	if s.any {
		return true
	}
	if code == 0 {
		return s.none
	}
	return s.classes[min(code/100, 9)] || slices.Contains(s.codes, code)
}

// The weight of each kind of condition: a provider's token beats a phrase, a
// phrase beats a code, and a rule for one receiver beats one for all.
const (
	weightToken    = 1000
	weightFirm     = 600
	weightPhrase   = 400
	weightForeign  = 30 // over a phrase: a provider's token from elsewhere
	weightWeak     = 200
	weightReceiver = 150
	weightEnhanced = 60
	weightVague    = 50
	weightStage    = 40
	weightCode     = 20
)

// match tells how well a rule fits a reply; 0 means not at all. text is lower
// case.
func (r *Rule) match(receiver, text string, reply *delivery.Reply) int {
	weight := 1
	switch {
	case reply.Code == 0 && reply.Failure == delivery.FailureNone: // a text alone, its code was lost
	case !r.codes.has(reply.Code):
		return 0
	case !r.codes.any:
		weight += weightCode
	}
	if len(r.Receiver) > 0 {
		if !slices.Contains(r.Receiver, receiver) {
			return r.foreign(text)
		}
		weight += weightReceiver
	}
	if len(r.Failure) > 0 {
		if !slices.Contains(r.Failure, reply.Failure.String()) {
			return 0
		}
		weight += weightPhrase
	}
	if len(r.Stage) > 0 {
		if !slices.Contains(r.Stage, reply.Stage.String()) {
			return 0
		}
		weight += weightStage
	}
	if len(r.Enhanced) > 0 {
		if !slices.ContainsFunc(r.Enhanced, func(p string) bool { return enhancedMatches(p, reply.Enhanced) }) {
			return 0
		}
		weight += weightEnhanced
		if r.Firm {
			weight += weightFirm
		}
	}
	w := r.words(text)
	if w < 0 {
		return 0
	}
	if r.Vague {
		w = weightVague
	}
	return weight + w
}

// foreign tells how well a provider's token fits where another receiver uses
// it: gateways pass replies on, and hosted domains answer like their host. It
// is more than a phrase, and less than that receiver's own rules.
func (r *Rule) foreign(text string) int {
	for _, t := range r.tokens {
		if strings.Contains(text, t) {
			return weightPhrase + weightForeign + len(t)
		}
	}
	return 0
}

// words tells how well the text conditions fit: the longest literal counts.
// −1 if there are some and none fits.
func (r *Rule) words(text string) int {
	if len(r.tokens) == 0 && len(r.phrases) == 0 && len(r.weak) == 0 && r.re == nil {
		return 0
	}
	best := -1
	for _, t := range r.tokens {
		if strings.Contains(text, t) {
			best = max(best, weightToken+len(t))
		}
	}
	for _, p := range r.phrases {
		if strings.Contains(text, p) {
			best = max(best, weightPhrase+len(p))
		}
	}
	for _, p := range r.weak {
		if strings.Contains(text, p) {
			best = max(best, weightWeak+len(p))
		}
	}
	if r.re != nil {
		if loc := r.re.FindStringIndex(text); loc != nil {
			best = max(best, weightPhrase+min(loc[1]-loc[0], 60))
		}
	}
	return best
}

// enhancedMatches compares "5.7.1", "x.7.1" or "5.7.x" with a code.
func enhancedMatches(pattern string, e delivery.Enhanced) bool {
	if e.IsZero() {
		return false
	}
	have := strings.Split(e.String(), ".")
	for i, want := range strings.Split(pattern, ".") {
		if i > 2 || want != "x" && want != have[i] {
			return false
		}
	}
	return true
}
