package rules

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"repute/delivery"
)

var (
	replyHead = regexp.MustCompile(`^[\s"'<]*([245]\d\d)(?:[ -]+|$)`)
	inReply   = regexp.MustCompile(`\(in reply to ([^)]*)\)\s*$`)
	// What an MTA puts before the reply that it quotes.
	quoted = regexp.MustCompile(`(?i)(?:\bsaid(?:\[response message\])?|refused to talk to me|\bserver returned was|response was|error message|returned|\breason|` +
		`smtp|response|as follows|<<<|with [\w.-]+|host \S+ ?\[[^]]*\]|after [^:]{3,80}|\[last error|rejected command '\w+' with code)` +
		`\s*[:;=(]*\s*["'\[]?([245]\d\d)(?:[ -]|$)`)
	saidWords = regexp.MustCompile(`^host \S+ said: `)
	described = regexp.MustCompile(`^[45]\.[\dx]\.\d+ - [^']+ '(.+)' \(delivery attempts: \d+\)$`)
	atStage   = regexp.MustCompile(`(?i)(?:after|to) ((?:pipelined )?end of data|initial connection|rcpt to|mail from|data|ehlo|helo|starttls)`)
	// What an MTA adds behind it.
	closing = regexp.MustCompile(`(?i)\s*(?:\(delivery attempts: \d+\)|\(state \d+\)\.?|No action is required on your part\.|/?I'm not going to try again;|Giving up on |Message could not be delivered for|STEP: ).*$`)
)

// ParseReply reads a reply as people paste it: with or without the MTA's
// words around it, with or without a code, out of the transcript in a bounce.
func ParseReply(text string) delivery.Reply {
	var r delivery.Reply
	text = strings.TrimSpace(unspoiled(text))
	if m := inReply.FindStringSubmatchIndex(text); m != nil {
		r.Stage = stageOf(text[m[2]:m[3]])
		text = strings.TrimSpace(text[:m[0]])
	}
	text, r.Stage = unquoted(text, r.Stage)
	for { // some say the code twice: "554 554 5.7.1"
		m := replyHead.FindStringSubmatchIndex(text)
		if m == nil {
			break
		}
		code, _ := strconv.ParseUint(text[m[2]:m[3]], 10, 16)
		if r.Code != 0 && r.Code != uint16(code) {
			break
		}
		r.Code = uint16(code)
		text = strings.TrimSpace(text[m[1]:])
	}
	r.Text = []byte(text)
	r.Enhanced = enhancedIn(r.Text)
	if r.Code == 0 {
		r.Failure, r.Stage = failureOf(text, r.Stage)
		if r.Failure == delivery.FailureNone && !r.Enhanced.IsZero() {
			r.Code = uint16(r.Enhanced.Class) * 100
		}
	}
	return r
}

// unquoted finds the receiver's reply among the words of the MTA that reports
// it.
func unquoted(text string, stage delivery.Stage) (string, delivery.Stage) {
	if m := described.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	if replyHead.MatchString(text) {
		return unclosed(text), stage
	}
	if loc := saidWords.FindStringIndex(text); loc != nil && !quoted.MatchString(text) {
		text = text[loc[1]:]
	}
	if m := quoted.FindStringSubmatchIndex(text); m != nil {
		before := text[:m[2]]
		if at := atStage.FindStringSubmatch(before); at != nil && stage == delivery.StageNone {
			stage = stageOf(at[1])
		}
		if strings.Contains(before, "refused to talk to me") {
			stage = delivery.StageConnect
		}
		text = strings.TrimRight(text[m[2]:], "]")
	}
	return unclosed(text), stage
}

// unclosed takes the MTA's closing words away, where others stand before them.
func unclosed(text string) string {
	if short := closing.ReplaceAllString(text, ""); short != "" {
		return short
	}
	return text
}

// enhancedIn finds the first enhanced status code near the start.
func enhancedIn(text []byte) delivery.Enhanced {
	for i := 0; i < len(text) && i < 200; i++ {
		if i > 0 && wordBytes[text[i-1]] {
			continue
		}
		if e, n := delivery.ParseEnhanced(text[i:]); n > 0 {
			return e
		}
	}
	return delivery.Enhanced{}
}

// unspoiled mends UTF-8 that was taken for Latin-1 on its way.
func unspoiled(text string) string {
	raw := make([]byte, 0, len(text))
	spoiled := false
	for _, c := range text {
		if c > 0xff {
			return text
		}
		spoiled = spoiled || c >= 0x80
		raw = append(raw, byte(c))
	}
	if spoiled && utf8.Valid(raw) {
		return string(raw)
	}
	return text
}

// stageOf tells the stage that an MTA names.
func stageOf(command string) delivery.Stage {
	command = strings.ToLower(command)
	for _, s := range [...]struct {
		word  string
		stage delivery.Stage
	}{
		{"end of data", delivery.StageEOD},
		{"rcpt to", delivery.StageRcpt},
		{"mail from", delivery.StageMail},
		{"data", delivery.StageData},
		{"helo", delivery.StageHelo},
		{"ehlo", delivery.StageHelo},
		{"greeting", delivery.StageConnect},
		{"initial connection", delivery.StageConnect},
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
			_, at, _ := strings.Cut(text, " while ")
			return f.failure, stageOf(at)
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
