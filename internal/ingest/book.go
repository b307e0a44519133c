package ingest

import (
	"context"
	"encoding/binary"
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

// replyCell is what replies are counted by.
type replyCell struct {
	hour                       int64
	origin, receiver, template int32
	class                      delivery.Class
}

// book decides what an event counts as, and collects a batch.
type book struct {
	o          *Options
	hasher     hasher
	dict       *dictionary
	correlator *correlator
	overlaps   *overlaps
	events     []store.Event // for the next part of the batch
	inBatch    int           // events of the batch that stand in earlier parts
	*collected               // for the next batch
	written    *collected    // the batch before, which the writer may still read
	nextID     int64
	booked     Booked
}

// collected is what a batch is made of.
type collected struct {
	evidence cells
	replies  map[replyCell]int32 // index of answers
	answers  []store.ReplyCount
	quotes   map[store.Quote]int64
	open     []byte
}

func newCollected() *collected {
	return &collected{replies: map[replyCell]int32{}, quotes: map[store.Quote]int64{}}
}

func newBook(ctx context.Context, o *Options) (*book, error) {
	b := &book{o: o, hasher: newHasher(o.Key), collected: newCollected(), written: newCollected(), nextID: 1}
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
	if b.correlator, err = newCorrelator(state); err != nil {
		return nil, err
	}
	b.overlaps, err = newOverlaps(ctx, o.Store)
	return b, err
}

// event books one event of a line.
func (b *book) event(r *reading, e *delivery.Event) error {
	m := b.correlator.find(e)
	if b.reused(m, e) {
		b.correlator.close(e)
		m = b.correlator.find(e)
	}
	b.learn(m, e)
	stream, line := r.state.ID, r.number()
	switch e.Kind {
	case delivery.Attempt, delivery.Probe:
		hash := b.hash(e.Recipient)
		if again, err := b.overlaps.again(e, stream, hash, r.kin); again || err != nil {
			r.repeated(e)
			return err
		}
		b.outcome(m, e, hash, 0, stream, line)
	case delivery.Expired:
		return b.expired(m, e, r.state.Path, stream, line)
	case delivery.HostTrial:
		if e.Attempted {
			b.trial(m, e)
		}
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
	return b.dict.origins[b.dict.origin(e, m.Domain)-1].Origin
}

// outcome books what happened to one recipient. domain is 0 where the event
// names the recipient.
func (b *book) outcome(m *message, e *delivery.Event, hash uint64, domain int32, stream int32, line int64) {
	reply, relay := &e.Reply, e.RelayHost
	if t := m.Trial; t != nil && e.Attempted && reply.Code == 0 && e.At-t.At < trialSpan {
		reply, relay = &t.Reply, []byte(t.Relay) // the noise after an earlier MX's refusal
	}
	m.Trial = nil
	var receiver int32
	if domain == 0 {
		domain, receiver = b.dict.route(relay, domainOf(e.Recipient))
	} else {
		receiver = b.dict.home(domain)
	}
	template := b.dict.template(receiver, b.dict.reply(receiver, reply, e.Recipient), e.Status)
	verdict := b.dict.verdict(template)
	class := delivery.ClassOf(e.Status, e.Attempted, reply, verdict)
	origin := b.dict.origin(e, m.Domain)
	bounce := m.Bounce || e.Bounce
	first := false
	if e.Kind == delivery.Attempt && e.Attempted && !bounce {
		first = b.count(m, e, hash, class, verdict.Reason == delivery.Blocklist, cell{hourOf(e.At), origin, receiver, domain})
		if template != 0 && e.Status != delivery.Sent {
			b.answer(e.At, replyCell{hourOf(e.At), origin, receiver, template, class}, first)
		}
	}
	if (class == delivery.ClassDeferPolicy || class == delivery.ClassRejectPolicy) && b.dict.receivers[receiver-1].Provider { // any other server might teach us a wrong address
		b.quoted(origin, reply.Text, e.RelayIP)
	}
	if b.o.OnEvent != nil {
		b.booked = Booked{
			Origin: b.dict.origins[origin-1].Origin, Receiver: b.dict.receivers[receiver-1], Domain: b.dict.domains[domain-1], Reply: *reply,
			Verdict: verdict, Class: class, First: first,
		}
	}
	if b.o.Store == nil {
		return
	}
	b.overlaps.note(b.dict.origins[origin-1].Host, stream, e.At)
	b.events = append(b.events, store.Event{
		At: e.At, Message: b.message(m), Origin: origin, Receiver: receiver, Domain: domain, Recipient: hash,
		Template: template, Kind: e.Kind, Status: e.Status, Class: class,
		Attempted: e.Attempted, First: first, Bounce: bounce,
		QueueS: e.QueueS, ConnS: e.ConnS, XmitS: e.XmitS, Stream: stream, Line: line,
		QueueID: valid(e.QueueID), MessageID: m.MessageID, Sender: m.Sender,
	})
}

// count books the evidence of an attempt: a first outcome, or the correction
// that a first retry brings. It tells whether it was the first.
func (b *book) count(m *message, e *delivery.Event, hash uint64, class delivery.Class, listed bool, c cell) bool {
	rcpt := m.recipient(hash)
	if rcpt == nil {
		if m.text != nil {
			m.text.recipients[hash] = string(e.Recipient)
		}
		retry := m.isRetry(e)
		if retry {
			class = delivery.ClassNone
		} else if listed && (class == delivery.ClassDeferPolicy || class == delivery.ClassRejectPolicy) {
			b.evidence.add(c, store.Listed, 1)
		}
		b.evidence.add(c, store.OutcomeOf(class), 1)
		m.Recipients = append(m.Recipients, recipient{Hash: hash, Cell: c, Class: class, Finished: e.Status != delivery.Deferred})
		return !retry
	}
	b.evidence.add(c, store.Again, 1)
	rcpt.Retries++
	rcpt.Finished = rcpt.Finished || e.Status != delivery.Deferred
	if rcpt.Class.Generic() && rcpt.Retries == 1 && e.Status == delivery.Sent {
		b.evidence.add(rcpt.Cell, store.OutcomeOf(delivery.ClassDeferSlow), -1)
		b.evidence.add(rcpt.Cell, store.OutcomeOf(delivery.ClassDeferQuick), 1)
	}
	return false
}

// answer counts a reply that was no acceptance.
func (b *book) answer(at int64, c replyCell, first bool) {
	i, ok := b.replies[c]
	if !ok {
		i = int32(len(b.answers))
		b.replies[c] = i
		b.answers = append(b.answers, store.ReplyCount{
			Hour: c.hour, Origin: c.origin, Receiver: c.receiver, Template: c.template, Class: c.class, From: at, To: at,
		})
	}
	a := &b.answers[i]
	a.Attempts++
	if first {
		a.First++
	}
	a.From, a.To = min(a.From, at), max(a.To, at)
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
	for i := range m.Recipients {
		if r := &m.Recipients[i]; !r.Finished {
			left = append(left, r.Hash)
		}
	}
	slices.Sort(left)
	for _, hash := range left {
		r := m.recipient(hash)
		r.Finished = true
		one := *e
		if m.text != nil {
			one.Recipient = []byte(m.text.recipients[hash])
		}
		b.outcome(m, &one, hash, r.Cell.Domain, stream, line)
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

// handOver gives events to the writer when they are enough for a part.
func (b *book) handOver(w *writer) {
	if len(b.events) >= partRows {
		b.inBatch += len(b.events)
		b.events = w.put(part{events: b.events})
	}
}

// message gives a message its id when the first event refers to it.
func (b *book) message(m *message) int64 {
	if m.ID == 0 {
		m.ID = b.nextID
		b.nextID++
	}
	return m.ID
}

// valid is log text as the store takes it: valid UTF-8.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "?") }

func (b *book) hash(text []byte) uint64 { return b.hasher.sum(text) }

// Hash is a keyed hash of an address or message id, of 40 bits: equal ones are
// found again, two others are taken for one in 10¹² pairs, and nothing can be
// read back. 0 for no text.
func Hash(key, text []byte) uint64 { return newHasher(key).sum(text) }

// hasher is FNV-1a of 64 bits with the key taken in already, which hash/fnv
// would take in anew for each address.
type hasher uint64

func newHasher(key []byte) hasher { return hasher(14695981039346656037).add(key) }

func (h hasher) add(text []byte) hasher {
	for _, c := range text {
		h = (h ^ hasher(c)) * 1099511628211
	}
	return h
}

func (h hasher) sum(text []byte) uint64 {
	if len(text) == 0 {
		return 0
	}
	h = h.add(text)
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(h))
	return max(uint64(h.add(n[:]))>>24, 1)
}

// fill moves what was collected into a batch. The memory is the batch's until
// the next batch is filled: the one before must be written by then.
func (b *book) fill(batch *store.Batch) {
	batch.Counts, batch.Replies = b.evidence.rows, b.answers
	for q, n := range b.quotes {
		q.N = n
		batch.Quotes = append(batch.Quotes, q)
	}
	b.dict.fill(batch)
	b.open = b.correlator.save(b.open[:0])
	batch.Open = b.open
	b.collected, b.written, b.inBatch = b.written, b.collected, 0
	b.discard()
}

// discard forgets what was collected; the memory is used again.
func (c *collected) discard() {
	c.evidence.clear()
	clear(c.replies)
	clear(c.quotes)
	c.answers = c.answers[:0]
}

func hourOf(micros int64) int64 {
	s := micros / 1e6
	return s - s%3600
}
