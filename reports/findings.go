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
}

// Period is the time that is reported on: [From, To), whole days.
type Period struct {
	From, To time.Time // in the report's zone
	Days     []time.Time
}

// Last is the period's last day.
func (p Period) Last() time.Time { return p.To.AddDate(0, 0, -1) }

// Coverage says how much was read and how much of it was understood.
type Coverage struct {
	Files, Formats                                 []string
	Lines, Events, Attempts, Messages              int64
	Irrelevant, NotUnderstood, Oversize, Truncated int64
	FirstOutcomes, Accepted                        int64 // of the period
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
	Needs         int // more first outcomes until it is known
	Evidence      uint32
	Counts        delivery.Counts // first outcomes of the period
	Reason        delivery.Reason // why most of the unaccepted were not; ReasonNone if none
	Week          *Comparison     // with seven days before; nil if it was not known then
	Fall          *Change         // the gravest of the period
	Recovered     bool            // it has come back since
	Trend         []Point
}

// Comparison is a change against seven days before.
type Comparison struct {
	Before float64
	Clear  bool // beyond the intervals
}

// Point is a day of a trend.
type Point struct {
	Day           time.Time
	Score, Lo, Hi float64
	Unknown       bool
	Mail          bool // there was mail of its own that day
}

// Change is a fall or a recovery, or an event that is not reputation.
type Change struct {
	Since, Noticed      time.Time
	IP                  string            // "" stands for all
	Receiver            delivery.Receiver // zero stands for all
	Cause, Entity       string
	Before, After, Drop float64
	Confidence          float64
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
	Link     string
	Better   string  // another sending IP that does well at the receiver, "" if none
	Score    float64 // of Better
	Quote    *Quote
}

// Only returns the findings about the pairs that keep names. What is about all
// of them (coverage, outages) stays.
func (f *Findings) Only(keep func(ip, receiver string) bool) *Findings {
	out := *f
	out.Pairs, out.Changes, out.Quotes, out.Actions = nil, nil, nil, nil
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
