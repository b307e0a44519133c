package rules

import (
	"fmt"
	"slices"
	"strings"

	"repute/delivery"
)

// Match is a rule that fits a reply, and how well.
type Match struct {
	Rule   *Rule
	Weight int
	Why    string // what of the reply it went by
}

// Explain lists the rules that fit a reply, the winner first, at most n.
func (s *Set) Explain(receiver string, r delivery.Reply, n int) []Match {
	found := s.explain(receiver, r, n)
	t := s.subject(receiver, &r)
	for i := range found {
		found[i].Why = found[i].Rule.why(&t)
	}
	return found
}

// why tells what of a reply a rule goes by: the longest words of each kind,
// and the conditions that hold.
func (r *Rule) why(t *subject) string {
	var out []string
	for _, kind := range [...]struct {
		name  string
		words []string
		ids   []int32
	}{{"mark", r.Token, r.tokens}, {"words", r.Phrase, r.phrases}, {"words", r.Weak, r.weak}, {"beside", r.With, r.with}} {
		n := t.literals.longest(t.hits, kind.ids)
		i := slices.IndexFunc(kind.ids, func(id int32) bool { return t.hits.has(id) && len(t.literals.texts[id]) == n })
		if i >= 0 && !slices.ContainsFunc(out, func(s string) bool { return strings.HasPrefix(s, kind.name) }) {
			out = append(out, fmt.Sprintf("%s %q", kind.name, kind.words[i]))
		}
	}
	if r.re != nil && r.re.MatchString(t.text) {
		out = append(out, fmt.Sprintf("words %q", r.re.FindString(t.text)))
	}
	if slices.Contains(r.Receiver, t.receiver) {
		out = append(out, "receiver "+t.receiver)
	}
	if len(r.enhance) > 0 {
		out = append(out, "code "+t.reply.Enhanced.String())
	} else if !r.codes.any && t.reply.Code != 0 {
		out = append(out, fmt.Sprintf("code %d", t.reply.Code))
	}
	if len(r.Stage) > 0 {
		out = append(out, "stage "+stageWord(t.reply.Stage))
	}
	if len(r.Failure) > 0 {
		out = append(out, "no reply: "+t.reply.Failure.String())
	}
	return strings.Join(out, ", ")
}
