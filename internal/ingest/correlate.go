package ingest

import (
	"bytes"
	"encoding/gob"

	"repute/delivery"
)

// message is what is known of a message in one of our queues. Fields are
// exported for gob.
type message struct {
	ID         int64 // 0 until the first event refers to it
	At         int64
	Domain     string // of the envelope sender, lower case
	Sender     uint64 // keyed hash
	MessageID  uint64 // keyed hash
	HasSender  bool
	Bounce     bool
	Seen       bool // its arrival is in our log
	Recipients map[uint64]*recipient
	Trial      *trial
	touched    int64
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
	Class    delivery.Class
	Cell     cell
	Retries  int
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

// maxOpen bounds the messages kept open; past it the oldest are given up and
// counted.
const maxOpen = 500_000

// correlator joins lines by queue id.
type correlator struct {
	open    map[string]*message
	Evicted int64
	key     []byte
}

func newCorrelator(state []byte) (*correlator, error) {
	c := &correlator{open: map[string]*message{}}
	if len(state) == 0 {
		return c, nil
	}
	return c, gob.NewDecoder(bytes.NewReader(state)).Decode(&c.open)
}

// save returns the state that the next start needs.
func (c *correlator) save() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(c.open)
	return b.Bytes(), err
}

// find returns the open message of an event, and opens one if there is none.
func (c *correlator) find(e *delivery.Event) *message {
	c.key = append(append(append(c.key[:0], e.Host...), 0), e.QueueID...)
	if m := c.open[string(c.key)]; m != nil {
		m.touched = e.At
		return m
	}
	if len(c.open) >= maxOpen {
		c.evict()
	}
	m := &message{At: e.At, touched: e.At}
	c.open[string(c.key)] = m
	return m
}

// rename lets a message go on under another queue id.
func (c *correlator) rename(e *delivery.Event) {
	old := string(e.Host) + "\x00" + string(e.QueueID)
	if m := c.open[old]; m != nil {
		delete(c.open, old)
		c.open[string(e.Host)+"\x00"+string(e.NewID)] = m
	}
}

func (c *correlator) close(e *delivery.Event) {
	c.key = append(append(append(c.key[:0], e.Host...), 0), e.QueueID...)
	delete(c.open, string(c.key))
}

// evict gives up the tenth of the messages that was touched longest ago.
func (c *correlator) evict() {
	var newest, oldest int64 = 0, 1 << 62
	for _, m := range c.open {
		newest, oldest = max(newest, m.touched), min(oldest, m.touched)
	}
	limit := oldest + (newest-oldest)/10
	for k, m := range c.open {
		if m.touched <= limit {
			delete(c.open, k)
			c.Evicted++
		}
	}
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
		if len(e.Sender) > 0 && m.Sender == 0 {
			m.Sender, m.Domain = b.hash(e.Sender), domainOf(e.Sender)
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

// domainOf returns the domain of an address, lower case; "" if it has none.
func domainOf(address []byte) string {
	i := bytes.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return valid(bytes.ToLower(bytes.TrimSuffix(address[i+1:], []byte("."))))
}
