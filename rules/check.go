package rules

import (
	"fmt"
	"regexp"
	"strings"

	"repute/delivery"
)

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

var (
	replyHead = regexp.MustCompile(`^\s*"?([245]\d\d)(?:[ -]|$)`)
	hostSaid  = regexp.MustCompile(`^host \S+ said: `)
	hostRefus = regexp.MustCompile(`^host \S+ refused to talk to me: `)
	inReply   = regexp.MustCompile(`\(in reply to ([^)]*)\)\s*$`)
)

// ParseReply reads a reply as people paste it: with or without the MTA's
// words around it, with or without a code.
func ParseReply(text string) delivery.Reply {
	var r delivery.Reply
	text = strings.TrimSpace(text)
	if m := inReply.FindStringSubmatchIndex(text); m != nil {
		r.Stage = stageOf(text[m[2]:m[3]])
		text = strings.TrimSpace(text[:m[0]])
	}
	if loc := hostSaid.FindStringIndex(text); loc != nil {
		text = text[loc[1]:]
	} else if loc := hostRefus.FindStringIndex(text); loc != nil {
		text, r.Stage = text[loc[1]:], delivery.StageConnect
	}
	if m := replyHead.FindStringSubmatchIndex(text); m != nil {
		fmt.Sscanf(text[m[2]:m[3]], "%d", &r.Code)
		text = strings.TrimSpace(text[m[1]:])
	}
	r.Text = []byte(text)
	for i := 0; i < len(r.Text) && i < 200; i++ {
		if i > 0 && wordBytes[r.Text[i-1]] {
			continue
		}
		if e, n := delivery.ParseEnhanced(r.Text[i:]); n > 0 {
			r.Enhanced = e
			break
		}
	}
	if r.Code == 0 {
		r.Failure, r.Stage = failureOf(text, r.Stage)
		if r.Failure == delivery.FailureNone && !r.Enhanced.IsZero() {
			r.Code = uint16(r.Enhanced.Class) * 100
		}
	}
	return r
}

func stageOf(command string) delivery.Stage {
	for _, s := range []struct {
		word  string
		stage delivery.Stage
	}{
		{"end of DATA", delivery.StageEOD},
		{"RCPT", delivery.StageRcpt},
		{"MAIL", delivery.StageMail},
		{"DATA", delivery.StageData},
		{"HELO", delivery.StageHelo},
		{"EHLO", delivery.StageHelo},
		{"greeting", delivery.StageConnect},
	} {
		if strings.Contains(command, s.word) {
			return s.stage
		}
	}
	return delivery.StageNone
}

func failureOf(text string, stage delivery.Stage) (delivery.Failure, delivery.Stage) {
	for _, f := range []struct {
		start   string
		failure delivery.Failure
	}{
		{"lost connection with", delivery.Lost},
		{"conversation with", delivery.ReplyTimeout},
		{"Host or domain name not found", delivery.DNSFailure},
		{"TLS is required", delivery.TLSFailure},
		{"Cannot start TLS", delivery.TLSFailure},
	} {
		if strings.HasPrefix(text, f.start) {
			return f.failure, stageOf(text)
		}
	}
	if strings.HasPrefix(text, "connect to ") {
		if strings.Contains(text, "refused") {
			return delivery.ConnectionRefused, delivery.StageConnect
		}
		return delivery.ConnectionTimeout, delivery.StageConnect
	}
	return delivery.FailureNone, stage
}
