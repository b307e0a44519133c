// Package delivery holds the nouns of the project: what a mail log says
// happened, what a receiver answered, and what counts as evidence.
//
// It imports the standard library only, and everything else imports it.
package delivery

import "slices"

// Event is one fact that a log line states about one message, and, for
// attempts, about one recipient. One line may yield several events (a Postfix
// "message repeated 3 times" is one event with Count 3).
//
// The byte fields borrow the parser's memory: they are valid until the
// parser's next Append. Whoever keeps an event copies what it needs.
// A nil or empty field means that the line does not state it.
type Event struct {
	Kind   Kind
	Status Status // set for Attempt, Probe and Expired
	// Attempted tells whether an SMTP conversation about this recipient took
	// place (or was tried: a refused connection counts). "delivery temporarily
	// suspended", Exim's errno -52…-57, local delivery and content-filter hops
	// are events but not attempts, and never evidence.
	Attempted bool
	Local     bool   // delivered locally, to a pipe or to a content filter
	Bounce    bool   // the message itself is a bounce (empty envelope sender)
	Truncated bool   // the line was cut; the fields before the cut are right
	Count     uint32 // times this happened; 0 and 1 both mean once
	At        int64  // Unix microseconds, UTC; 0 if the stamp could not be read

	Host    []byte // as logged
	Tag     []byte // syslog tag without the daemon: "postfix", "postfix/out2", "exim"
	QueueID []byte
	NewID   []byte // the other queue id: bounce notice, requeued copy, filter hop

	Sender     []byte // envelope sender without <>; with HasSender and empty: <>
	HasSender  bool
	Recipient  []byte // envelope recipient without <>
	MessageID  []byte // without <>
	Client     []byte // address or name[address] that handed us the message
	SASLUser   []byte
	Size       int64 // bytes, 0 if unknown
	Recipients int   // nrcpt, 0 if unknown

	RelayHost []byte // MX host name as logged
	RelayIP   []byte // its address, as logged
	LocalIP   []byte // our address where the line shows it (Exim I=[..])
	Transport []byte // Exim T=, Postfix service where it is not plain smtp
	TLS       []byte // Postfix tls= feature, Exim X= cipher

	Reply Reply
	// QueueS, ConnS and XmitS are seconds of this attempt: waiting before it,
	// connection set-up, transmission. Negative if unknown. Postfix's
	// delays=a/b/c/d: QueueS is a+b (it includes earlier retries), ConnS c, XmitS d.
	QueueS, ConnS, XmitS float32
}

// Grow adds an event that states nothing yet to events and returns both. It
// reuses the slice's memory, which an append of a whole event would copy to.
func Grow(events []Event) ([]Event, *Event) {
	n := len(events)
	events = slices.Grow(events, 1)[:n+1]
	e := &events[n]
	*e = Event{}
	e.Count, e.QueueS, e.ConnS, e.XmitS = 1, -1, -1, -1
	return events, e
}

// Reply is what the receiver said, or how the conversation ended without a word.
type Reply struct {
	Code     uint16   // SMTP code, RFC 5321 section 4.2; 0 if the receiver said nothing
	Enhanced Enhanced // as the receiver gave it, RFC 3463; zero if none
	DSN      Enhanced // as the MTA logged it (dsn=); may contradict the reply
	Stage    Stage
	Failure  Failure
	// Text is the receiver's reply, continuation lines joined by one blank,
	// without the MTA's own words around it; where Code is 0, the MTA's words.
	Text []byte
}

// Kind says what sort of fact an event is.
type Kind uint8

// The kinds. Their String values are the "kind" field of `repute parse`.
const (
	KindNone     Kind = iota
	Queued            // a message entered our queue, or a line told more about it (client, sender, message-id, size)
	Attempt           // the outcome for one recipient, or why there was no attempt
	HostTrial         // one MX of several refused; no recipient is named (Postfix lines without to=, Exim H= lines)
	Probe             // address verification, not mail (deliverable/undeliverable)
	BounceNotice      // our MTA sent a bounce to the sender; NewID is its queue id
	DelayNotice       // our MTA told the sender of a delay
	Expired           // the message was given up; recipients still open have expired
	Removed           // the message left the queue
	Deleted           // an operator removed it
	Requeued          // the message goes on as NewID (postsuper -r: QueueID is the old one)
	Held              // put on hold or frozen
	Released          // released or thawed
	Rejected          // our own MTA refused the message (milter, policy)
	Noted             // understood, states nothing that is counted (skipped, still being delivered, …)
)

// Status is the outcome of a line for a recipient.
type Status uint8

// The statuses. Their String values are the "status" field of `repute parse`.
const (
	StatusNone Status = iota
	Sent
	Deferred
	Bounced
	StatusExpired
	Deliverable
	Undeliverable
)

// Stage is where in the SMTP dialogue the reply came, RFC 5321 section 3.
type Stage uint8

// The stages, in the order of the dialogue.
const (
	StageNone    Stage = iota
	StageConnect       // the greeting
	StageHelo          // HELO, EHLO
	StageTLS           // STARTTLS and the handshake
	StageAuth
	StageMail
	StageRcpt
	StageData // the DATA command
	StageEOD  // the end of the message
	StageQuit
)

// Failure is how a conversation ended without a final reply.
type Failure uint8

// The failures.
const (
	FailureNone Failure = iota
	ConnectionRefused
	ConnectionTimeout // no connection in time
	Unreachable       // no route to host or network
	Lost              // the peer closed the connection
	ReplyTimeout      // connected, then no answer in time
	DNSFailure
	TLSFailure
	NoAttempt  // suspended, retry time not reached, queue only
	RetryOver  // given up after the retry time; the text may repeat an old reply
	LocalFault // our own side: loops, limits, spool
)
