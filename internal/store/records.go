package store

import (
	"repute/delivery"
	"repute/internal/sender"
)

// Batch is what one transaction adds: events and everything that must be true
// together with them.
type Batch struct {
	Stream    StreamState
	From      int64 // the stream's position before the batch
	Lines     int64 // of this batch
	Samples   []Sample
	Origins   []Origin
	Receivers []Named
	Domains   []Named
	Templates []Template
	Events    []Event
	Counts    []Count
	Replies   []ReplyCount
	Quotes    []Quote
	Open      []byte // the correlation's state after the batch
}

// StreamState is how far a stream has been read and what was found in it.
type StreamState struct {
	ID       int32
	Path     string
	Format   string
	HeadLen  int
	HeadHash [32]byte
	Bytes    int64
	TailHash [32]byte
	Cursor   string // of systemd's journal
	Coverage
}

// Coverage counts the lines of a stream. Lines = lines with events +
// Irrelevant + NotUnderstood + Oversize + lines that state nothing yet.
type Coverage struct {
	Lines, Events, Attempts, Irrelevant, NotUnderstood, Oversize, Truncated int64

	Repeated int64 // attempts that another stream has told of; in no other count but Lines

	FirstAt, LastAt int64 // Unix microseconds
}

// Sample is a line that was not understood.
type Sample struct {
	Stream int32
	Kind   string
	Line   int64
	Text   string
}

// Named is an entry of a dictionary.
type Named struct {
	ID   int32
	Name string
}

// Origin is what the log shows of the sending side.
type Origin struct {
	ID int32
	sender.Origin
}

// Template is a reply with what differs from message to message masked.
type Template struct {
	ID       int32
	Receiver int32
	Reply    delivery.Reply // Text is the masked text
	Sample   string         // one reply as it was, addresses removed
	Verdict  delivery.Verdict
}

// Event is one booked outcome.
type Event struct {
	At                       int64
	Message                  int64
	Origin, Receiver, Domain int32
	Recipient                uint64 // keyed hash of the address
	Template                 int32  // 0: none
	Kind                     delivery.Kind
	Status                   delivery.Status
	Class                    delivery.Class
	Attempted, First, Bounce bool
	QueueS, ConnS, XmitS     float32 // seconds; negative: unknown
	Stream                   int32
	Line                     int64

	// Of the message, as far as it was known then.
	QueueID           string
	MessageID, Sender uint64 // keyed hashes
}

// Evidence is an hour's counts for one origin, receiver and domain.
type Evidence struct {
	Hour                     int64 // Unix seconds
	Origin, Receiver, Domain int32
	delivery.Counts
}

// Count is how often one outcome was met in an hour, for one origin, receiver
// and domain, as it is stored. A correction is less than 0.
type Count struct {
	Hour                     int64 // Unix seconds
	Origin, Receiver, Domain int32
	N                        int32
	What                     Outcome
}

// Outcome is what a Count counts, as the table outcome numbers it.
type Outcome uint8

// The outcomes that no class of a first outcome stands for.
const (
	Listed Outcome = 6  // the reply names a public list; it is counted under its class, too
	Again  Outcome = 15 // attempts beyond the first outcomes
)

// OutcomeOf is what a first outcome of a class is counted as.
func OutcomeOf(c delivery.Class) Outcome {
	switch {
	case c == delivery.ClassNone || c > delivery.ClassOther:
		return Again
	case c < delivery.ClassContent:
		return Outcome(c - 1)
	}
	return Outcome(c) // Listed stands between
}

// CountsOf are the counts of some evidence. A count past 2³¹ stands for one
// less than 0.
func CountsOf(rows ...Evidence) (out []Count) {
	for _, e := range rows {
		e.Attempts -= e.First()
		for what, n := range counts(&e.Counts) {
			if *n != 0 {
				out = append(out, Count{e.Hour, e.Origin, e.Receiver, e.Domain, int32(*n), Outcome(what)})
			}
		}
	}
	return out
}

// ReplyCount is an hour's count of one reply, for one origin and receiver.
type ReplyCount struct {
	Hour                       int64 // Unix seconds
	Origin, Receiver, Template int32
	Class                      delivery.Class
	First, Attempts            int32
	From, To                   int64 // Unix microseconds; seconds are kept
}

// Quote counts how often receivers quoted an address for an origin.
type Quote struct {
	Origin int32
	IP     string
	N      int64
}
