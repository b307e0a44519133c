package delivery

// Reason is why a receiver deferred or refused. The list is closed: rules
// name one of these, reports have a sentence for each.
type Reason uint8

// The reasons. docs/reasons.md explains each with examples.
const (
	ReasonNone       Reason = iota // accepted, or not classified
	ReputationIP                   // the receiver's own opinion of the sending IP or its range
	Blocklist                      // a public list that the receiver names
	ReputationDomain               // the sender's domain
	RateLimit                      // too much, too fast, too many connections
	Greylist
	ContentSpam // the message itself
	Auth        // SPF, DKIM, DMARC, reverse DNS, HELO, TLS required
	PolicyOther
	UnknownUser
	MailboxFull
	InactiveUser
	RelayDenied
	BadDomainDNS // the recipient's or sender's domain does not resolve or takes no mail
	Size
	Network // refused, timed out, lost, unreachable
	System  // the receiver is out of order
	Spamtrap
	Other

	numReasons
)

// NumReasons is the number of reasons, ReasonNone included: the size of a
// table indexed by Reason.
const NumReasons = int(numReasons)

var reasonWords = [NumReasons]string{
	"", "reputation_ip", "blocklist", "reputation_domain", "rate_limit", "greylist", "content_spam", "auth",
	"policy_other", "unknown_user", "mailbox_full", "inactive_user", "relay_denied", "bad_domain_dns", "size",
	"network", "system", "spamtrap", "other",
}

// String returns the word used in rules, JSON and SQL, "" for ReasonNone.
func (r Reason) String() string {
	if int(r) < NumReasons {
		return reasonWords[r]
	}
	return "unknown"
}

// ParseReason is the inverse of String. ok is false for a word not in the list.
func ParseReason(word string) (r Reason, ok bool) {
	for i, w := range reasonWords {
		if w == word && i > 0 {
			return Reason(i), true
		}
	}
	return ReasonNone, false
}
