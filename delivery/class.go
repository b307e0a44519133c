package delivery

// Verdict is what the rules make of a Reply.
type Verdict struct {
	Reason Reason
	Rule   string // id of the winning rule; "" where no rule matched
	About  About
	// Permanent is true where the text refuses for good although the code may
	// be 4xx (Yahoo TS03: "421 … permanently deferred").
	Permanent  bool
	Confidence float32 // 0…1: a token of the provider is near 1, a lone code near 0.3
}

// About is whom or what a verdict speaks of.
type About uint8

// What a verdict may speak of.
const (
	AboutNone          About = iota
	AboutIP                  // this sending IP
	AboutNeighbourhood       // its network ("part of their network")
	AboutDomain              // the sender's domain
	AboutContent             // this message
	AboutRecipient           // this mailbox
	AboutReceiver            // the receiver itself is in trouble
)

// String returns the word used in rules and JSON.
func (a About) String() string {
	return word(int(a), "", "ip", "neighbourhood", "domain", "content", "recipient", "receiver")
}

// Class is the field of Counts that a first outcome is booked under.
type Class uint8

// The classes, named as the fields of Counts.
const (
	ClassNone Class = iota // not evidence and not counted: no attempt took place
	ClassAccepted
	ClassDeferPolicy
	ClassDeferSlow
	ClassDeferQuick
	ClassRejectPolicy
	ClassRejectGeneric
	ClassContent
	ClassUnknownUser
	ClassMailboxFull
	ClassConnection
	ClassGreylisted
	ClassThrottled
	ClassConfig
	ClassOther
)

// String returns the class's name in JSON and SQL.
func (c Class) String() string {
	return word(int(c), "", "accepted", "defer_policy", "defer_slow", "defer_quick", "reject_policy", "reject_generic",
		"content", "unknown_user", "mailbox_full", "connection", "greylisted", "throttled", "config", "other")
}

// Generic tells whether a deferral of this class says nothing of its own
// accord, so that the first retry decides between slow and quick.
func (c Class) Generic() bool { return c == ClassDeferSlow }

// ClassOf books an attempt's outcome: METHOD section 2's table. The code in
// the receiver's reply decides, not the MTA's status: Postfix defers a 5xx
// greeting that Exim bounces.
func ClassOf(status Status, attempted bool, r *Reply, v Verdict) Class {
	if !attempted {
		return ClassNone
	}
	if status == Sent {
		return ClassAccepted
	}
	refused := r.Code >= 500 || v.Permanent || (r.Code == 0 && status == Bounced)
	switch v.Reason {
	case ReputationIP, Blocklist, Spamtrap:
		if refused {
			return ClassRejectPolicy
		}
		return ClassDeferPolicy
	case ReputationDomain, ContentSpam:
		return ClassContent
	case PolicyOther:
		if v.About == AboutContent || v.About == AboutDomain {
			return ClassContent
		}
	case RateLimit:
		return ClassThrottled
	case Greylist:
		return ClassGreylisted
	case Auth:
		return ClassConfig
	case UnknownUser, InactiveUser:
		return ClassUnknownUser
	case MailboxFull:
		return ClassMailboxFull
	case Network, System:
		return ClassConnection
	case RelayDenied, BadDomainDNS, Size:
		return ClassOther
	}
	return genericClass(refused, r, v.Reason)
}

// genericClass books replies that give no reason: a policy refusal (x.7.x)
// counts at a lower weight, a deferral waits for its first retry.
func genericClass(refused bool, r *Reply, reason Reason) Class {
	switch {
	case r.Code == 0 && r.Failure != FailureNone:
		return ClassConnection
	case !refused:
		return ClassDeferSlow
	case reason == PolicyOther || r.Enhanced.Subject == 7:
		return ClassRejectGeneric
	}
	return ClassOther
}

// Book counts n first outcomes of class c; listed where the reply names a
// public list.
func (c *Counts) Book(class Class, n uint32, listed bool) {
	if listed && (class == ClassDeferPolicy || class == ClassRejectPolicy) {
		c.Listed += n
	}
	if f := c.field(class); f != nil {
		*f += n
	}
}

func (c *Counts) field(class Class) *uint32 {
	fields := [...]*uint32{
		nil, &c.Accepted, &c.DeferPolicy, &c.DeferSlow, &c.DeferQuick, &c.RejectPolicy, &c.RejectGeneric,
		&c.Content, &c.UnknownUser, &c.MailboxFull, &c.Connection, &c.Greylisted, &c.Throttled, &c.Config, &c.Other,
	}
	if int(class) < len(fields) {
		return fields[class]
	}
	return nil
}
