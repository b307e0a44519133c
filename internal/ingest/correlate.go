package ingest

import (
	"bytes"
	"slices"

	"github.com/cespare/xxhash/v2"

	"repute/delivery"
)

// message is what is known of a message in one of our queues.
type message struct {
	ID         int64 // 0 until the first event refers to it
	At         int64
	Domain     string // of the envelope sender, lower case
	Sender     uint64 // keyed hash
	MessageID  uint64 // keyed hash
	HasSender  bool
	Bounce     bool
	Seen       bool // its arrival is in our log
	Recipients []recipient
	Trial      *trial
	touched    int64            // when a line spoke of it, counted in lines
	index      map[uint64]int32 // of Recipients, by hash, where they are many
	text       *texts
}

// texts are what OnEvent is told in clear. They are never saved: the state of
// open messages is kept in the store, and people's addresses are not.
type texts struct {
	sender, messageID string
	recipients        map[uint64]string
}

// recipient is one (message, recipient): its first outcome decides the
// evidence, its first retry may correct it.
type recipient struct {
	Hash     uint64
	Cell     cell
	Retries  int32
	Class    delivery.Class
	Finished bool
}

// trial is the refusal of an earlier MX in the same try: the line with the
// recipient that follows may only say that the connection was lost.
type trial struct {
	At    int64
	Reply delivery.Reply
	Relay string
}

// trialSpan is how long after a trial the recipient's line may follow.
const trialSpan = 10 * 60 * 1e6

// fewRecipients are looked through one by one.
const fewRecipients = 32

// recipient finds a recipient of the message; nil if it is new.
func (m *message) recipient(hash uint64) *recipient {
	if len(m.Recipients) <= fewRecipients {
		for i := range m.Recipients {
			if m.Recipients[i].Hash == hash {
				return &m.Recipients[i]
			}
		}
		return nil
	}
	if m.index == nil {
		m.index = map[uint64]int32{}
	}
	for i := len(m.index); i < len(m.Recipients); i++ {
		m.index[m.Recipients[i].Hash] = int32(i)
	}
	if i, ok := m.index[hash]; ok {
		return &m.Recipients[i]
	}
	return nil
}

// maxOpen bounds the messages kept open; past it the tenth that no line spoke
// of for longest is given up and counted.
const maxOpen = 250_000

// correlator joins lines by queue id.
type correlator struct {
	open    map[uint64]*message // by the hash of host and queue id
	free    []*message          // used up
	clock   int64               // lines
	max     int                 // of open
	evicted int64
	host    []byte // whose hash is hostID
	hostID  uint64
}

func newCorrelator(state []byte) (*correlator, error) {
	c := &correlator{open: map[uint64]*message{}, max: maxOpen}
	return c, c.load(state)
}

// id stands for a host's queue id. Two of half a million open ones are the
// same once in 100 million logs.
func (c *correlator) id(host, queueID []byte) uint64 {
	if c.host == nil || !bytes.Equal(c.host, host) {
		c.host, c.hostID = append(c.host[:0], host...), xxhash.Sum64(host)
	}
	return xxhash.Sum64(queueID) ^ c.hostID
}

// find returns the open message of an event, and opens one if there is none.
func (c *correlator) find(e *delivery.Event) *message {
	c.clock++
	id := c.id(e.Host, e.QueueID)
	if m := c.open[id]; m != nil {
		m.touched = c.clock
		return m
	}
	if len(c.open) >= c.max {
		c.evict()
	}
	m := c.fresh()
	m.At, m.touched = e.At, c.clock
	c.open[id] = m
	return m
}

// fresh returns an empty message.
func (c *correlator) fresh() *message {
	n := len(c.free)
	if n == 0 {
		return &message{}
	}
	m := c.free[n-1]
	c.free = c.free[:n-1]
	*m = message{Recipients: m.Recipients[:0]}
	return m
}

// rename lets a message go on under another queue id.
func (c *correlator) rename(e *delivery.Event) {
	old := c.id(e.Host, e.QueueID)
	if m := c.open[old]; m != nil {
		delete(c.open, old)
		c.open[c.id(e.Host, e.NewID)] = m
	}
}

// close forgets a message. What it held may be looked at until the next find.
func (c *correlator) close(e *delivery.Event) {
	id := c.id(e.Host, e.QueueID)
	m := c.open[id]
	if m == nil {
		return
	}
	delete(c.open, id)
	if cap(m.Recipients) <= fewRecipients && len(c.free) < 1000 {
		c.free = append(c.free, m)
	}
}

// evict gives up the tenth of the messages that was touched longest ago.
func (c *correlator) evict() {
	touched := make([]int64, 0, len(c.open))
	for _, m := range c.open {
		touched = append(touched, m.touched)
	}
	slices.Sort(touched)
	limit := touched[len(touched)/10]
	for id, m := range c.open {
		if m.touched <= limit {
			delete(c.open, id)
			c.evicted++
		}
	}
}

// reused tells that a line is of another message than the one that was tried
// under its queue id before: short ids come again after hours, and the line
// that says that the former message was removed may be missing.
func (b *book) reused(m *message, e *delivery.Event) bool {
	// Exim's never come again, and may be delivered before they arrive (>>).
	if e.Kind != delivery.Queued || len(m.Recipients) == 0 || eximBirth(e.QueueID) != 0 {
		return false
	}
	arrival := len(e.Client) > 0 || e.HasSender && e.Size == 0 && len(e.MessageID) == 0
	otherID := len(e.MessageID) > 0 && m.MessageID != 0 && m.MessageID != b.hash(e.MessageID)
	otherSender := e.HasSender && m.Domain != "" && m.Sender != b.hash(e.Sender)
	return arrival || otherID || otherSender
}

// learn takes from an event what it says of a message.
func (b *book) learn(m *message, e *delivery.Event) {
	if e.Kind == delivery.Queued {
		if !m.Seen {
			m.At = e.At
		}
		m.Seen = true
	}
	if b.o.OnEvent != nil && m.text == nil {
		m.text = &texts{recipients: map[uint64]string{}}
	}
	if e.HasSender {
		m.HasSender = true
		m.Bounce = m.Bounce || len(e.Sender) == 0
		// The queue manager's line has the sender as it was rewritten.
		if len(e.Sender) > 0 && (m.Sender == 0 || e.Size > 0 && len(m.Recipients) == 0) {
			m.Sender, m.Domain = b.hash(e.Sender), b.dict.senderDomain(domainOf(e.Sender))
			if m.text != nil {
				m.text.sender = string(e.Sender)
			}
		}
	}
	if len(e.MessageID) > 0 {
		m.MessageID = b.hash(e.MessageID)
		if m.text != nil {
			m.text.messageID = string(e.MessageID)
		}
	}
}

// retryAge is how long a message must have waited, where its arrival is not
// in our log, before an attempt is taken for a retry.
const retryAge = 10 * 60

// isRetry tells that the first attempt we see was not the first: our log
// begins in the message's mid-life.
func (m *message) isRetry(e *delivery.Event) bool {
	if m.Seen {
		return false
	}
	if e.QueueS > retryAge {
		return true
	}
	born := eximBirth(e.QueueID)
	return born > 0 && e.At/1e6-born > retryAge && e.At/1e6-born < 30*86400
}

// eximBirth reads the seconds in an Exim message id's first six base-62
// digits; 0 if it is no such id.
func eximBirth(id []byte) int64 {
	if (len(id) != 16 && len(id) != 23) || id[6] != '-' {
		return 0
	}
	var n int64
	for _, c := range id[:6] {
		switch {
		case '0' <= c && c <= '9':
			n = n*62 + int64(c-'0')
		case 'A' <= c && c <= 'Z':
			n = n*62 + int64(c-'A') + 10
		case 'a' <= c && c <= 'z':
			n = n*62 + int64(c-'a') + 36
		default:
			return 0
		}
	}
	return n
}

// domainOf returns the domain of an address as it stands there; empty if it
// has none.
func domainOf(address []byte) []byte {
	i := bytes.LastIndexByte(address, '@')
	if i < 0 {
		return nil
	}
	return bytes.TrimSuffix(address[i+1:], []byte("."))
}
