package rules

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
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
	weightForeign  = 60 // over a phrase: a provider's token from elsewhere
	weightWeak     = 200
	weightReceiver = 150
	weightEnhanced = 60
	weightPattern  = 60 // at most, over a phrase
	weightVague    = 50
	weightStage    = 40
	weightCode     = 20
)

// match tells how well a rule fits; 0 means not at all.
func (r *Rule) match(t *subject) int {
	weight, lost := 1, false
	switch {
	case t.reply.Code == 0 && t.reply.Failure == delivery.FailureNone: // a text alone, its code was lost
		lost = !r.codes.any
	case !r.codes.has(t.reply.Code):
		return 0
	case !r.codes.any:
		weight += weightCode
	}
	if len(r.Receiver) > 0 {
		if !slices.Contains(r.Receiver, t.receiver) {
			return r.foreign(t)
		}
		weight += weightReceiver
	}
	w := r.words(t)
	if w < 0 {
		return 0
	}
	if lost && w == 0 && len(r.enhance) == 0 {
		return 0 // all that it asks for is the code
	}
	if r.Vague {
		w = weightVague
	}
	if len(r.Failure) > 0 {
		if !slices.Contains(r.Failure, t.reply.Failure.String()) {
			return 0
		}
		weight += weightPhrase
	}
	if len(r.Stage) > 0 {
		if !slices.Contains(r.Stage, stageWord(t.reply.Stage)) {
			return 0
		}
		weight += weightStage
	}
	if len(r.enhance) > 0 {
		if !slices.ContainsFunc(r.enhance, func(p enhancedPattern) bool { return p.fits(t.reply.Enhanced) }) {
			return 0
		}
		weight += weightEnhanced
		if r.Firm {
			weight += weightFirm
		}
	}
	return weight + w
}

// stageWord is how rules call a stage; "none" where the log does not tell.
func stageWord(s delivery.Stage) string {
	if s == delivery.StageNone {
		return "none"
	}
	return s.String()
}

// foreign tells how well a provider's token fits where another receiver uses
// it: gateways pass replies on, and hosted domains answer like their host. It
// is more than a phrase, and less than that receiver's own rules.
func (r *Rule) foreign(t *subject) int {
	if len(r.with) > 0 && t.literals.longest(t.hits, r.with) == 0 {
		return 0
	}
	for _, id := range r.tokens { // the first, as written
		if t.hits.has(id) {
			return weightPhrase + weightForeign + len(t.literals.texts[id])
		}
	}
	return 0
}

// words tells how well the text conditions fit: the longest literal counts,
// and the longest of those that must stand beside it. −1 if there are some and
// none fits.
func (r *Rule) words(t *subject) int {
	if len(r.tokens) == 0 && len(r.phrases) == 0 && len(r.weak) == 0 && r.re == nil {
		return 0
	}
	best, beside := -1, 0
	if len(r.with) > 0 {
		if beside = t.literals.longest(t.hits, r.with); beside == 0 {
			return -1
		}
	}
	for _, kind := range [...]struct {
		ids    []int32
		weight int
	}{{r.tokens, weightToken}, {r.phrases, weightPhrase}, {r.weak, weightWeak}} {
		if n := t.literals.longest(t.hits, kind.ids); n > 0 {
			best = max(best, kind.weight+n+beside)
		}
	}
	if r.re != nil {
		if loc := r.re.FindStringIndex(t.text[:min(len(t.text), maxPattern)]); loc != nil {
			best = max(best, weightPhrase+min(spoken(t.text[loc[0]:loc[1]]), weightPattern))
		}
	}
	return best
}

// addressed is an address in a reply, or what kept replies have for it.
var addressed = regexp.MustCompile(`…|(?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*`)

// spoken is the length of a text with each address taken for 9 bytes: how long
// it is must not matter.
func spoken(text string) int {
	n := len(text)
	for _, loc := range addressed.FindAllStringIndex(text, -1) {
		n += 9 - (loc[1] - loc[0])
	}
	return n
}

// enhancedPattern is "5.7.1", "x.7.1" or "5.7.x": −1 stands for x.
type enhancedPattern [3]int32

func parseEnhancedPattern(word string) (p enhancedPattern, err error) {
	parts := strings.Split(word, ".")
	if len(parts) != len(p) {
		return p, fmt.Errorf("enhanced %q: want 5.7.1, x.7.1 or 5.7.x", word)
	}
	for i, w := range parts {
		if w == "x" {
			p[i] = -1
			continue
		}
		n, err := strconv.ParseUint(w, 10, 16)
		if err != nil {
			return p, fmt.Errorf("enhanced %q: want 5.7.1, x.7.1 or 5.7.x", word)
		}
		p[i] = int32(n)
	}
	return p, nil
}

func (p enhancedPattern) fits(e delivery.Enhanced) bool {
	if e.IsZero() {
		return false
	}
	have := [...]int32{int32(e.Class), int32(e.Subject), int32(e.Detail)}
	for i, want := range p {
		if want >= 0 && want != have[i] {
			return false
		}
	}
	return true
}

// maxPattern bounds the text that patterns are tried on: they cost more than
// words, and what counts stands at the start.
const maxPattern = 512

// atMost bounds how well a rule may fit that has nothing but a pattern to go
// by, and words that must stand beside it.
func (r *Rule) atMost() int {
	if len(r.tokens)+len(r.phrases)+len(r.Receiver)+len(r.Stage)+len(r.enhance)+len(r.Failure) > 0 {
		return math.MaxInt
	}
	return 1 + weightPhrase + weightPattern + weightCode
}
