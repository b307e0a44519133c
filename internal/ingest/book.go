package ingest

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strings"

	"repute/delivery"
	"repute/internal/sender"
	"repute/internal/store"
)

// Booked is an event with everything joined that the log tells elsewhere.
type Booked struct {
	*delivery.Event
	Sender    string // envelope sender, from this line or an earlier one
	MessageID string
	Origin    sender.Origin
	Receiver  delivery.Receiver
	Domain    string // recipient's
	Reply     delivery.Reply
	Verdict   delivery.Verdict
	Class     delivery.Class
	First     bool // this is the first outcome of the (message, recipient)
	File      string
	Line      int64
}

// cell is what hourly evidence is kept by.
type cell struct {
	Hour                     int64
	Origin, Receiver, Domain int32
}

// book decides what an event counts as, and collects a batch.
type book struct {
	o          *Options
	dict       *dictionary
	correlator *correlator
	evidence   map[cell]*delivery.Counts
	quotes     map[store.Quote]int64
	events     []store.Event
	messages   []store.Message
	nextID     int64
	booked     Booked
}

func newBook(ctx context.Context, o *Options) (*book, error) {
	b := &book{o: o, evidence: map[cell]*delivery.Counts{}, quotes: map[store.Quote]int64{}, nextID: 1}
	var state []byte
	var err error
	if o.Store != nil {
		if state, err = o.Store.OpenState(ctx); err != nil {
			return nil, err
		}
		ids, err := o.Store.Next(ctx)
		if err != nil {
			return nil, err
		}
		b.nextID = ids.Message
	}
	if b.dict, err = newDictionary(ctx, o); err != nil {
		return nil, err
	}
	b.correlator, err = newCorrelator(state)
	return b, err
}

// event books one event of a line.
func (b *book) event(r *reading, e *delivery.Event) error {
	m := b.correlator.find(e)
	b.learn(m, e)
	stream, line := r.position()
	switch e.Kind {
	case delivery.Attempt, delivery.Probe:
		b.outcome(m, e, b.hash(e.Recipient), domainOf(e.Recipient), stream, line)
	case delivery.Expired:
		return b.expired(m, e, r.state.Path, stream, line)
	case delivery.HostTrial:
		b.trial(m, e)
	case delivery.Requeued:
		b.correlator.rename(e)
	case delivery.BounceNotice:
		bounce := *e
		bounce.QueueID = e.NewID
		b.correlator.find(&bounce).Bounce = true
	case delivery.Removed, delivery.Deleted:
		b.correlator.close(e)
	}
	return b.emit(m, e, r.state.Path, line)
}

// emit calls OnEvent.
func (b *book) emit(m *message, e *delivery.Event, file string, line int64) error {
	if b.o.OnEvent == nil {
		return nil
	}
	k := &b.booked
	if e.Kind != delivery.Attempt && e.Kind != delivery.Probe && e.Kind != delivery.Expired {
		*k = Booked{Reply: e.Reply, Origin: b.origin(m, e)}
	}
	k.Event, k.Sender, k.MessageID, k.File, k.Line = e, m.text.sender, m.text.messageID, file, line
	return b.o.OnEvent(k)
}

func (b *book) origin(m *message, e *delivery.Event) sender.Origin {
	return sender.Origin{
		Host: valid(e.Host), Tag: valid(e.Tag), Transport: valid(e.Transport), LocalIP: valid(e.LocalIP), Domain: m.Domain,
	}
}

// outcome books what happened to one recipient.
func (b *book) outcome(m *message, e *delivery.Event, hash uint64, domain string, stream int32, line int64) {
	reply, relay := e.Reply, string(e.RelayHost)
	if t := m.Trial; t != nil && e.Attempted && reply.Code == 0 && e.At-t.At < trialSpan {
		reply, relay = t.Reply, t.Relay // the noise after an earlier MX's refusal
	}
	m.Trial = nil
	receiver := b.dict.receiver(relay, domain)
	template := b.dict.template(receiver, &reply, e.Status)
	verdict := b.dict.verdict(template)
	origin := b.dict.origin(b.origin(m, e))
	b.booked = Booked{
		Origin: b.dict.origins[origin-1].Origin, Receiver: b.dict.receiverOf(receiver), Domain: domain, Reply: reply,
		Verdict: verdict, Class: delivery.ClassOf(e.Status, e.Attempted, &reply, verdict),
	}
	k := &b.booked
	if e.Kind == delivery.Attempt && e.Attempted && !m.Bounce && !e.Bounce {
		c := cell{hourOf(e.At), origin, receiver, b.dict.domain(domain)}
		k.First = b.count(m, e, hash, k, c)
	}
	if k.Class == delivery.ClassDeferPolicy || k.Class == delivery.ClassRejectPolicy {
		b.quoted(origin, reply.Text, e.RelayIP)
	}
	if b.o.Store == nil {
		return
	}
	b.events = append(b.events, store.Event{
		At: e.At, Message: b.message(m, e), Origin: origin, Receiver: receiver, Domain: b.dict.domain(domain), Recipient: hash,
		Template: template, Kind: e.Kind, Status: e.Status, Class: k.Class,
		Attempted: e.Attempted, First: k.First, Bounce: m.Bounce || e.Bounce,
		QueueMS: millis(e.QueueS), ConnMS: millis(e.ConnS), XmitMS: millis(e.XmitS), Stream: stream, Line: line,
	})
}

// count books the evidence of an attempt: a first outcome, or the correction
// that a first retry brings. It tells whether it was the first.
func (b *book) count(m *message, e *delivery.Event, hash uint64, k *Booked, c cell) bool {
	b.counts(c).Attempts++
	if m.Recipients == nil {
		m.Recipients = map[uint64]*recipient{}
	}
	rcpt := m.Recipients[hash]
	if rcpt == nil {
		rcpt = &recipient{Cell: c, Class: k.Class, Finished: e.Status != delivery.Deferred}
		m.Recipients[hash] = rcpt
		if m.text != nil {
			m.text.recipients[hash] = string(e.Recipient)
		}
		if m.isRetry(e) {
			rcpt.Class = delivery.ClassNone
			return false
		}
		b.counts(c).Book(k.Class, 1, k.Verdict.Reason == delivery.Blocklist)
		return true
	}
	rcpt.Retries++
	rcpt.Finished = rcpt.Finished || e.Status != delivery.Deferred
	if rcpt.Class.Generic() && rcpt.Retries == 1 && e.Status == delivery.Sent {
		counts := b.counts(rcpt.Cell)
		counts.DeferSlow-- // modulo 2³²: the rows are added up when read
		counts.DeferQuick++
	}
	return false
}

func (b *book) counts(c cell) *delivery.Counts {
	n := b.evidence[c]
	if n == nil {
		n = &delivery.Counts{}
		b.evidence[c] = n
	}
	return n
}

// trial keeps a refusal by one MX of several until the recipient's line.
func (b *book) trial(m *message, e *delivery.Event) {
	if e.Reply.Code == 0 && m.Trial != nil {
		return // "lost connection" after the refusal is the same refusal
	}
	t := &trial{At: e.At, Reply: e.Reply, Relay: string(e.RelayHost)}
	t.Reply.Text = append([]byte(nil), e.Reply.Text...)
	if b.o.Store != nil { // it may be saved with the open messages
		t.Reply.Text = []byte(scrub(e.Reply.Text))
	}
	m.Trial = t
}

// expired tells OnEvent of each recipient that was still open: the line names
// none. No attempt was made, so nothing is booked.
func (b *book) expired(m *message, e *delivery.Event, file string, stream int32, line int64) error {
	var left []uint64
	for hash, r := range m.Recipients {
		if !r.Finished {
			left = append(left, hash)
		}
	}
	slices.Sort(left)
	for _, hash := range left {
		r := m.Recipients[hash]
		r.Finished = true
		one := *e
		if m.text != nil {
			one.Recipient = []byte(m.text.recipients[hash])
		}
		b.outcome(m, &one, hash, b.dict.domains[r.Cell.Domain-1], stream, line)
		if err := b.emit(m, &one, file, line); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		return nil
	}
	b.booked = Booked{Origin: b.origin(m, e)}
	return b.emit(m, e, file, line)
}

// message gives a message its id when the first event refers to it.
func (b *book) message(m *message, e *delivery.Event) int64 {
	if m.ID == 0 {
		m.ID = b.nextID
		b.nextID++
		b.messages = append(b.messages, store.Message{
			ID: m.ID, QueueID: valid(e.QueueID), Host: valid(e.Host), At: m.At, SenderDomain: m.Domain,
			MessageID: m.MessageID, Sender: m.Sender, Bounce: m.Bounce,
		})
	}
	return m.ID
}

// valid is log text as the store takes it: valid UTF-8.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "?") }

func (b *book) hash(text []byte) uint64 { return Hash(b.o.Key, text) }

// Hash is a keyed hash of an address or message id: equal ones are found
// again, and nothing can be read back. 0 for no text.
func Hash(key, text []byte) uint64 {
	if len(text) == 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write(key)
	h.Write(text)
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], h.Sum64())
	h.Write(n[:])
	return h.Sum64()
}

// fill moves what was collected into a batch.
func (b *book) fill(batch *store.Batch) error {
	for c, n := range b.evidence {
		batch.Evidence = append(batch.Evidence, store.Evidence{
			Hour: c.Hour, Origin: c.Origin, Receiver: c.Receiver, Domain: c.Domain, Counts: *n,
		})
	}
	for q, n := range b.quotes {
		q.N = n
		batch.Quotes = append(batch.Quotes, q)
	}
	batch.Events, batch.Messages = b.events, b.messages
	b.dict.fill(batch)
	var err error
	batch.Open, err = b.correlator.save()
	b.discard()
	return err
}

// discard forgets what was collected, where nothing is kept.
func (b *book) discard() {
	clear(b.evidence)
	clear(b.quotes)
	b.events, b.messages = nil, nil
	b.dict.fill(&store.Batch{})
}

func hourOf(micros int64) int64 {
	s := micros / 1e6
	return s - s%3600
}

func millis(s float32) int32 {
	if s < 0 {
		return -1
	}
	return int32(s * 1000)
}
