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
