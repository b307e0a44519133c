package analysis

import (
	"context"
	"strings"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/store"
)

// Joined is a signal with what the log knows of the message it speaks of.
type Joined struct {
	store.Signal
	How Join
}

// Join tells how a signal was tied to a sending IP.
type Join uint8

// The ways.
const (
	JoinNone    Join = iota // neither a message of ours nor an address: it counts for nobody
	JoinAddress             // by the address that the source names
	JoinMessage             // by the message itself
)

// joinAtOnce bounds how many messages are looked for in one go.
const joinAtOnce = 2000

// Join finds the messages that signals speak of: by Message-ID, else by queue
// id, else by the envelope sender (VERP). hash is the database's keyed hash of
// addresses and ids.
func (a *Analysis) Join(ctx context.Context, records []signals.Record, hash func(string) uint64) ([]Joined, error) {
	var out []Joined
	for from := 0; from < len(records); from += joinAtOnce {
		some := records[from:min(from+joinAtOnce, len(records))]
		found, err := a.find(ctx, some, hash)
		if err != nil {
			return nil, err
		}
		for i := range some {
			out = append(out, a.join(&some[i], found, hash))
		}
	}
	return out, nil
}

// foundMessages are deliveries by each of the ids that lead to them.
type foundMessages struct {
	byHash  map[uint64][]store.Found
	byQueue map[string][]store.Found
}

func (a *Analysis) find(ctx context.Context, records []signals.Record, hash func(string) uint64) (f foundMessages, err error) {
	var hashes []uint64
	var queues []string
	for i := range records {
		about := &records[i].About
		for _, id := range about.MessageIDs {
			hashes = append(hashes, hash(id))
		}
		if about.Sender != "" {
			hashes = append(hashes, hash(about.Sender))
		}
		queues = append(queues, about.QueueIDs...)
	}
	list, err := a.store.FindMessages(ctx, hashes, queues)
	f = foundMessages{map[uint64][]store.Found{}, map[string][]store.Found{}}
	for _, d := range list {
		f.byHash[d.MessageID] = append(f.byHash[d.MessageID], d)
		if d.Sender != d.MessageID {
			f.byHash[d.Sender] = append(f.byHash[d.Sender], d)
		}
		f.byQueue[d.QueueID] = append(f.byQueue[d.QueueID], d)
	}
	return f, err
}

func (a *Analysis) join(r *signals.Record, found foundMessages, hash func(string) uint64) Joined {
	j := Joined{Signal: store.Signal{
		Signal: r.Signal, Key: r.Key, SenderDomain: r.SenderDomain, Source: r.Source, Detail: r.Detail,
	}}
	if d, ok := a.delivery(r, found, hash); ok && a.knows(d.Origin, 0, 0) {
		j.How, j.Origin, j.Message, j.Receiver = JoinMessage, d.Origin, d.Message, d.Receiver
		if j.IP == "" {
			j.IP = a.source(d.Origin)
		}
		return j
	}
	if j.IP != "" || j.SenderDomain != "" {
		j.How = JoinAddress
	}
	j.Receiver = a.receiverOf(r)
	return j
}

// receiverOf is the id of the receiver that a record names, or of the
// recipient's domain.
func (a *Analysis) receiverOf(r *signals.Record) string {
	for _, word := range []string{r.Receiver, r.About.Domain} {
		if found, ok := a.rules.Lookup(word); ok {
			return found.ID
		}
	}
	word := r.Receiver
	if word == "" {
		word = r.About.Domain
	}
	if strings.Contains(word, ".") {
		return a.rules.Receiver(word, word).ID
	}
	return word
}

// delivery finds the one delivery that a record speaks of.
func (a *Analysis) delivery(r *signals.Record, found foundMessages, hash func(string) uint64) (store.Found, bool) {
	rcpt := hash(r.About.Recipient)
	for _, id := range r.About.MessageIDs {
		if d, ok := choose(found.byHash[hash(id)], rcpt, r.About.Domain, false); ok {
			return d, true
		}
	}
	// A queue id is short and used again, and a sender may have sent more than
	// one message: here the recipient must agree.
	for _, id := range r.About.QueueIDs {
		if d, ok := choose(found.byQueue[id], rcpt, r.About.Domain, true); ok {
			return d, true
		}
	}
	if r.About.Sender == "" {
		return store.Found{}, false
	}
	return choose(found.byHash[hash(r.About.Sender)], rcpt, r.About.Domain, true)
}

// choose takes, of the deliveries that an id leads to, the one to the
// recipient, else to the recipient's domain, else the only one; an accepted
// one before others. strict leaves out the last. Deliveries of several
// messages, between which nothing decides, are none.
func choose(list []store.Found, rcpt uint64, domain string, strict bool) (store.Found, bool) {
	best, rank, tied := store.Found{}, 0, false
	for _, d := range list {
		n := 0
		switch {
		case rcpt != 0 && d.Recipient == rcpt:
			n = 6
		case domain != "" && d.Domain == domain:
			n = 4
		case !strict:
			n = 2
		default:
			continue
		}
		if d.Status == delivery.Sent {
			n++
		}
		switch {
		case n > rank:
			best, rank, tied = d, n, false
		case n == rank && d.Origin != best.Origin:
			tied = true
		}
	}
	return best, rank > 0 && !tied
}
