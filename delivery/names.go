package delivery

import "fmt"

var _ = [...]fmt.Stringer{Kind(0), Status(0), Stage(0), Failure(0)}

// String returns the word that `repute parse` prints.
func (k Kind) String() string {
	return word(int(k), "", "queued", "attempt", "host_trial", "probe", "bounce_notice", "delay_notice",
		"expired", "removed", "deleted", "requeued", "held", "released", "rejected", "noted")
}

// String returns the word that `repute parse` prints.
func (s Status) String() string {
	return word(int(s), "", "sent", "deferred", "bounced", "expired", "deliverable", "undeliverable")
}

// String returns the stage's name.
func (s Stage) String() string {
	return word(int(s), "", "connect", "helo", "tls", "auth", "mail", "rcpt", "data", "eod", "quit")
}

// String returns the failure's name.
func (f Failure) String() string {
	return word(int(f), "", "refused", "connect_timeout", "unreachable", "lost", "reply_timeout", "dns", "tls",
		"no_attempt", "retry_over", "local")
}

func word(i int, words ...string) string {
	if i < len(words) {
		return words[i]
	}
	return fmt.Sprintf("unknown(%d)", i)
}

// ParseStage is the inverse of Stage.String; StageNone for another word.
func ParseStage(s string) Stage {
	for st := StageConnect; st <= StageQuit; st++ {
		if st.String() == s {
			return st
		}
	}
	return StageNone
}

// ParseFailure is the inverse of Failure.String; FailureNone for another word.
func ParseFailure(s string) Failure {
	for f := ConnectionRefused; f <= LocalFault; f++ {
		if f.String() == s {
			return f
		}
	}
	return FailureNone
}

// ParseAbout is the inverse of About.String; AboutNone for another word.
func ParseAbout(s string) About {
	for a := AboutIP; a <= AboutReceiver; a++ {
		if a.String() == s {
			return a
		}
	}
	return AboutNone
}
