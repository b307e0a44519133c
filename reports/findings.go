// Package reports prints findings: as an HTML page, for a terminal, and in
// other forms. Findings are plain records; no printer computes anything that
// is not about its own form.
package reports

import (
	"time"

	"repute/delivery"
)

// Findings is all that a report says, in numbers and names.
type Findings struct {
	Period   Period
	Coverage Coverage
	Pairs    []Pair   // every pair with evidence, worst change first
	Changes  []Change // of the period, the gravest first
	Others   []Change // what is not reputation: outages, lists, own network
	Quotes   []Quote  // the replies behind the falls, most frequent first
	Actions  []Action // most valuable first

	Daily   []delivery.Counts // first outcomes of each day of Period.Trend
	Streams []Stream          // with enough mail to judge their lists, the worst first
	Volumes []Volume          // mail of each sending IP, most first
	Delays  []Delay           // how long deliveries took, by pair
	Folders []FolderSign      // what outside sources say of folders and complaints
	Public  []PublicScore     // by sending IP; empty where nobody was asked
}

// Period is the time that is reported on: [From, To), whole days.
type Period struct {
	From, To time.Time // in the report's zone
	Days     []time.Time
	Trend    []time.Time // days of the trends: those of the period and some before
}

// Last is the period's last day: scores are those at its end.
func (p Period) Last() time.Time { return p.To.AddDate(0, 0, -1) }

// Compared is the day whose end the scores are compared with.
func (p Period) Compared() time.Time { return p.Last().AddDate(0, 0, -7) }

// Coverage says how much was read and how much of it was understood.
type Coverage struct {
	Files, Formats                                 []string
	Lines, Events, Attempts, Messages              int64
	Irrelevant, NotUnderstood, Oversize, Truncated int64
	FirstOutcomes, Accepted                        int64 // of the period
	FirstBefore, AcceptedBefore                    int64 // of the seven days before
	IPs, Receivers                                 int
	Known, Borrowed, Unknown                       int      // pairs
	UnknownSources                                 []string // origins whose sending IP can't be told
}

// Understood is the share of lines about mail delivery that were understood.
func (c *Coverage) Understood() float64 {
	if about := c.Lines - c.Irrelevant; about > 0 {
		return 100 * float64(about-c.NotUnderstood-c.Oversize) / float64(about)
	}
	return 0
}

// Pair is one sending IP at one receiver.
type Pair struct {
	IP, Network   string
	Receiver      delivery.Receiver
	Score, Lo, Hi float64 // at the end of the period; 80 % interval
	Band          string
	Unknown       bool
	Borrowed      bool
	View          *FullView // with the spam folder; nil: the SMTP view alone
	Parts         Contributions
	Needs         int // more first outcomes until it is known
	Evidence      uint32
	Counts        delivery.Counts // first outcomes of the period
	Reason        delivery.Reason // why most of the unaccepted were not; ReasonNone if none
	Week          *Comparison     // with seven days before; nil if it was not known then
	Fall          *Change         // the gravest of the period
	Recovered     bool            // it has come back since
	Trend         []Point         // one for each day of Period.Trend
}

// Deferred counts the period's first outcomes that were slowed down because
// of the IP.
func (p *Pair) Deferred() uint32 {
	return p.Counts.DeferPolicy + p.Counts.DeferSlow + p.Counts.Throttled
}

// Refused counts those refused because of the IP.
func (p *Pair) Refused() uint32 { return p.Counts.RejectPolicy + p.Counts.RejectGeneric }

// Comparison is a change against seven days before.
type Comparison struct {
	Before float64
	Clear  bool // beyond the intervals
}

// Point is a day of a trend. Trends are most of a report's memory.
type Point struct {
	Score, Lo, Hi float32
	State         PointState
}

// PointState tells whether there is a score on a day.
type PointState uint8

// The states of a day.
const (
	PointNone    PointState = iota // before the first mail
	PointUnknown                   // an interval, but too wide for a score
	PointKnown
)

// Change is a fall or a recovery, or an event that is not reputation.
type Change struct {
	Since, Noticed      time.Time
	IP                  string            // "" stands for all
	Receiver            delivery.Receiver // zero stands for all
	Cause, Entity       string
	Before, After, Drop float64
	Confidence          float64
	// Fell of Of pairs of what the cause names fell: the sending IPs at the
	// receiver, the receivers of the IP. Of is 0 where nobody counted.
	Fell, Of int
}

// Quote is a reply that receivers gave.
type Quote struct {
	IP       string
	Receiver delivery.Receiver
	Count    int64 // first outcomes
	Code     uint16
	Text     string
	Reason   delivery.Reason
	Link     string
	Advice   string
	From, To time.Time
}

// Action is a thing to do.
type Action struct {
	Code     string // which advice; the words are the printer's
	IP       string
	Receiver delivery.Receiver
	Entity   string
	Share    float64 // of accepted mail: in the spam folder, or complained about; 0 to 1
	Link     string
	Fell, Of int     // of the fall that is behind it
	Better   string  // another sending IP that does well at the receiver, "" if none
	Score    float64 // of Better
	Quote    *Quote
}

// Contributions are what each part of the model adds to a score, in points;
// Level is the score of the usual level alone.
type Contributions struct {
	Level, IP, Network, Receiver, Private float64
}

// FullView is the score that counts mail in the spam folder for a quarter.
type FullView struct {
	Score, Lo, Hi float64
	Spam          float64 // expected share of accepted mail in the spam folder, 0 to 1
}

// Stream is how good the list behind a stream is.
type Stream struct {
	Name                       string
	First, Unknown             int64 // first outcomes and unknown users of the period
	FirstBefore, UnknownBefore int64 // of the seven days before
}

// Volume is the mail of one sending IP.
type Volume struct {
	IP    string
	Daily []uint32 // first outcomes of each day of Period.Trend
	// Age is the day of the IP's warm-up, counted from its first mail; 0 where
	// it is no new IP.
	Age      int
	Accepted uint32 // on its last day with mail
	Last     time.Time
}

// Delay is how long it took from our queue to the receiver's 250, in seconds.
type Delay struct {
	IP         string
	Receiver   delivery.Receiver
	Mails      int64
	Half, Nine float64 // of all mail, and nine in ten
	Before     float64 // nine in ten in the time before; 0: too little mail
}

// FolderSign is what an outside source said last, in the period.
type FolderSign struct {
	IP       string
	Receiver delivery.Receiver
	Kind     delivery.SignalKind
	Day      time.Time
	N, K     int64 // seeds and the like: of the whole period
	Value    float64
}

// PublicScore is what everybody can see of a sending IP.
type PublicScore struct {
	IP                 string
	SenderScore, Talos *float64 // nil: not asked
	Lists              []string // DNS block lists that name it
	ListsAsked         bool
}

// Only returns the findings about the pairs that keep names. What is about all
// of them (coverage, outages) stays.
func (f *Findings) Only(keep func(ip, receiver string) bool) *Findings {
	out := *f
	out.Pairs, out.Changes, out.Quotes, out.Actions = nil, nil, nil, nil
	out.Volumes, out.Delays, out.Folders, out.Public = nil, nil, nil, nil
	for _, v := range f.Volumes {
		if keep(v.IP, "") {
			out.Volumes = append(out.Volumes, v)
		}
	}
	for _, d := range f.Delays {
		if keep(d.IP, d.Receiver.ID) {
			out.Delays = append(out.Delays, d)
		}
	}
	for _, s := range f.Folders {
		if keep(s.IP, s.Receiver.ID) {
			out.Folders = append(out.Folders, s)
		}
	}
	for _, p := range f.Public {
		if keep(p.IP, "") {
			out.Public = append(out.Public, p)
		}
	}
	for _, p := range f.Pairs {
		if keep(p.IP, p.Receiver.ID) {
			out.Pairs = append(out.Pairs, p)
		}
	}
	for _, c := range f.Changes {
		if keep(c.IP, c.Receiver.ID) {
			out.Changes = append(out.Changes, c)
		}
	}
	for _, q := range f.Quotes {
		if keep(q.IP, q.Receiver.ID) {
			out.Quotes = append(out.Quotes, q)
		}
	}
	for _, a := range f.Actions {
		if keep(a.IP, a.Receiver.ID) {
			out.Actions = append(out.Actions, a)
		}
	}
	c := &out.Coverage
	c.Known, c.Borrowed, c.Unknown, c.FirstOutcomes, c.Accepted = 0, 0, 0, 0, 0
	for i := range out.Pairs {
		p := &out.Pairs[i]
		c.FirstOutcomes += int64(p.Counts.First())
		c.Accepted += int64(p.Counts.Accepted)
		switch {
		case p.Unknown:
			c.Unknown++
		case p.Borrowed:
			c.Borrowed++
			c.Known++
		default:
			c.Known++
		}
	}
	return &out
}

// Seen are the receivers where something is known of the spam folder, by id.
func (f *Findings) Seen() map[string]bool {
	seen := map[string]bool{}
	for i := range f.Pairs {
		if f.Pairs[i].View != nil {
			seen[f.Pairs[i].Receiver.ID] = true
		}
	}
	for i := range f.Folders {
		switch f.Folders[i].Kind {
		case delivery.SignalSeed, delivery.SignalGPT, delivery.SignalSNDS, delivery.SignalEngagement, delivery.SignalSpamRate:
			if f.Folders[i].Receiver.ID != "" {
				seen[f.Folders[i].Receiver.ID] = true
			}
		}
	}
	return seen
}
