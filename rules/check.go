package rules

import "fmt"

// Check proves the set: each rule wins its own examples at its receiver, and
// none of its counter-examples.
func (s *Set) Check() []error {
	var errs []error
	for _, r := range s.rules {
		receiver := "example.net"
		if len(r.Receiver) > 0 {
			receiver = r.Receiver[0]
		}
		for _, ex := range r.Examples {
			if m := s.explain(receiver, ParseReply(ex), 1); len(m) == 0 || m[0].Rule != r {
				errs = append(errs, fmt.Errorf("%s: rule %s does not win its example %q: %s", r.file, r.ID, ex, winner(m)))
			}
		}
		for _, ex := range r.Counter {
			if m := s.explain(receiver, ParseReply(ex), 1); len(m) > 0 && m[0].Rule == r {
				errs = append(errs, fmt.Errorf("%s: rule %s wins its counter-example %q", r.file, r.ID, ex))
			}
		}
	}
	return errs
}

func winner(m []Match) string {
	if len(m) == 0 {
		return "no rule fits"
	}
	return "rule " + m[0].Rule.ID + " does"
}
