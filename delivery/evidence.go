package delivery

// Evidence is what one hour taught about one sending IP at one receiver for
// one stream: METHOD section 5's row. Counts are first outcomes, one per
// (message, recipient); twenty retries are one observation.
type Evidence struct {
	Hour     int64  // Unix seconds of the hour's start, UTC
	IP       string // sending IP, or "host/tag" or a pool's name where it can't be told
	Receiver string // Receiver.ID
	Domain   string // recipient domain, where the evidence is kept by domain; else ""
	Stream   string // what was sent: by default the envelope sender's domain
	Counts
}

// Counts are the classes of first outcomes (METHOD section 2).
type Counts struct {
	Accepted      uint32 // at the first try
	DeferPolicy   uint32 // 4xx that speaks of the IP
	DeferSlow     uint32 // generic 4xx, not gone at the first retry
	DeferQuick    uint32 // generic 4xx, accepted at the first retry
	RejectPolicy  uint32 // refusal of the IP (a 4xx that says "permanently" too)
	RejectGeneric uint32 // 5.7.1 without a telling text
	Listed        uint32 // of the policy classes: those that name a public list
	Content       uint32 // content, URL or sender domain
	UnknownUser   uint32
	MailboxFull   uint32
	Connection    uint32 // refused, timed out, lost, 4.3.x, 4.4.x
	Greylisted    uint32
	Throttled     uint32 // an explicit volume limit
	Config        uint32 // authentication, PTR, HELO, TLS
	Other         uint32 // says nothing about reputation
	Attempts      uint32 // all attempts of the hour, retries too; not evidence
}

// First is the number of first outcomes.
func (c *Counts) First() uint32 {
	return c.Accepted + c.DeferPolicy + c.DeferSlow + c.DeferQuick + c.RejectPolicy + c.RejectGeneric +
		c.Content + c.UnknownUser + c.MailboxFull + c.Connection + c.Greylisted + c.Throttled + c.Config + c.Other
}

// Add adds d to c.
func (c *Counts) Add(d *Counts) {
	c.Accepted += d.Accepted
	c.DeferPolicy += d.DeferPolicy
	c.DeferSlow += d.DeferSlow
	c.DeferQuick += d.DeferQuick
	c.RejectPolicy += d.RejectPolicy
	c.RejectGeneric += d.RejectGeneric
	c.Listed += d.Listed
	c.Content += d.Content
	c.UnknownUser += d.UnknownUser
	c.MailboxFull += d.MailboxFull
	c.Connection += d.Connection
	c.Greylisted += d.Greylisted
	c.Throttled += d.Throttled
	c.Config += d.Config
	c.Other += d.Other
	c.Attempts += d.Attempts
}

// Signal is outside evidence about one pair on one day: seed mailboxes,
// Postmaster tiers, SNDS colours, complaints.
type Signal struct {
	Day      int64 // Unix seconds of the day's start, UTC
	IP       string
	Receiver string
	Kind     SignalKind
	N, K     uint32  // K of N in the spam folder; complaints K of N
	Value    float64 // tier or colour, coded per kind
	Verified bool    // false: shown, weight 0
}

// SignalKind says where a Signal comes from and what its fields mean. Kinds of
// the public view (SenderScore, Talos, BlockList) speak of an address alone:
// Receiver is "".
type SignalKind uint8

// The kinds of signals.
const (
	SignalNone        SignalKind = iota
	SignalSeed                   // N seeds, K of them in the spam folder
	SignalGPT                    // Google Postmaster IP tier: Value 0 bad, 1 low, 2 medium, 3 high
	SignalSNDS                   // Microsoft SNDS colour: Value 0 red, 1 yellow, 2 green; N messages
	SignalComplaint              // K complaints, of N messages where the source counts them
	SignalEngagement             // K of N delivered messages opened or clicked
	SignalSpamRate               // Value: share of inbox mail that users marked as spam, 0 to 1
	SignalDMARC                  // N messages as the receiver counted them, K of them failing DMARC
	SignalTrap                   // K messages to spam traps, of N
	SignalSenderScore            // Value 0 to 100
	SignalTalos                  // Value 0 poor, 1 neutral, 2 good
	SignalBlockList              // K of N: 1 of 1 where the list names the address
	SignalErrorRate              // Value: share of mail that the receiver says it refused, 0 to 1
	signalKinds
)

// signalNames are what files, commands and the store call each kind.
var signalNames = [signalKinds]string{
	"none", "seed", "gpt", "snds", "complaint", "engagement", "spam_rate", "dmarc", "trap", "sender_score", "talos", "block_list", "error_rate",
}

// String returns the kind's name.
func (k SignalKind) String() string {
	if k < signalKinds {
		return signalNames[k]
	}
	return signalNames[SignalNone]
}

// ParseSignalKind returns the kind that name names, SignalNone if none.
func ParseSignalKind(name string) SignalKind {
	for k, n := range signalNames {
		if n == name {
			return SignalKind(k)
		}
	}
	return SignalNone
}
