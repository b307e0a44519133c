package ingest

import (
	"encoding/binary"
	"errors"
	"slices"

	"repute/delivery"
)

// stateVersion is the first byte of a saved state. A state of another version
// is not read: first retries of messages that were open then count as first
// outcomes.
const stateVersion = 3

// save appends the open messages as the next start needs them.
func (c *correlator) save(b []byte) []byte {
	b = append(slices.Grow(b, 64*(1+len(c.open))), stateVersion)
	b = binary.AppendVarint(b, c.clock)
	for id, m := range c.open {
		b = m.append(binary.LittleEndian.AppendUint64(b, id))
	}
	return b
}

func (c *correlator) load(state []byte) error {
	if len(state) == 0 || state[0] != stateVersion {
		return nil
	}
	d := decoder{b: state[1:]}
	c.clock = d.int()
	for len(d.b) > 0 && !d.bad {
		id := d.word()
		c.open[id] = d.message()
	}
	if d.bad {
		return errors.New("the saved state of open messages is cut")
	}
	return nil
}

// The flags of a message.
const (
	flagSender = 1 << iota
	flagBounce
	flagSeen
	flagTrial
)

func (m *message) append(b []byte) []byte {
	flags := bit(m.HasSender, flagSender) | bit(m.Bounce, flagBounce) | bit(m.Seen, flagSeen) | bit(m.Trial != nil, flagTrial)
	b = append(b, flags)
	for _, n := range []int64{m.ID, m.At, m.touched} {
		b = binary.AppendVarint(b, n)
	}
	b = appendText(b, m.Domain)
	b = binary.AppendUvarint(binary.AppendUvarint(b, m.Sender), m.MessageID)
	b = binary.AppendUvarint(b, uint64(len(m.Recipients)))
	for i := range m.Recipients {
		r := &m.Recipients[i]
		b = binary.AppendUvarint(b, r.Hash)
		for _, n := range []int64{r.Cell.Hour, int64(r.Cell.Origin), int64(r.Cell.Receiver), int64(r.Cell.Domain), int64(r.Retries), int64(r.Class), int64(bit(r.Finished, 1))} {
			b = binary.AppendVarint(b, n)
		}
	}
	if t := m.Trial; t != nil {
		r := &t.Reply
		for _, n := range []int64{
			t.At, int64(r.Code), int64(r.Stage), int64(r.Failure), int64(r.Enhanced.Class), int64(r.Enhanced.Subject), int64(r.Enhanced.Detail),
			int64(r.DSN.Class), int64(r.DSN.Subject), int64(r.DSN.Detail),
		} {
			b = binary.AppendVarint(b, n)
		}
		b = appendText(appendText(b, string(r.Text)), t.Relay)
	}
	return b
}

func bit(set bool, flag byte) byte {
	if set {
		return flag
	}
	return 0
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decoder reads what append wrote; bad once it ran out of bytes.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) take(n int) []byte {
	if n <= 0 || n > len(d.b) {
		d.bad = d.bad || n != 0
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) word() uint64 {
	if w := d.take(8); w != nil {
		return binary.LittleEndian.Uint64(w)
	}
	return 0
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.bad = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) text() string { return string(d.take(int(min(d.uint(), 1<<20)))) }

func (d *decoder) message() *message {
	m := &message{}
	flags := byte(0)
	if f := d.take(1); f != nil {
		flags = f[0]
	}
	m.HasSender, m.Bounce, m.Seen = flags&flagSender != 0, flags&flagBounce != 0, flags&flagSeen != 0
	m.ID, m.At, m.touched = d.int(), d.int(), d.int()
	m.Domain = d.text()
	m.Sender, m.MessageID = d.uint(), d.uint()
	for range d.uint() {
		if d.bad {
			break
		}
		r := recipient{Hash: d.uint()}
		r.Cell = cell{d.int(), int32(d.int()), int32(d.int()), int32(d.int())}
		r.Retries, r.Class, r.Finished = int32(d.int()), delivery.Class(d.int()), d.int() != 0
		m.Recipients = append(m.Recipients, r)
	}
	if flags&flagTrial != 0 {
		t := &trial{At: d.int()}
		r := &t.Reply
		r.Code, r.Stage, r.Failure = uint16(d.int()), delivery.Stage(d.int()), delivery.Failure(d.int())
		r.Enhanced, r.DSN = d.enhanced(), d.enhanced()
		r.Text, t.Relay = []byte(d.text()), d.text()
		m.Trial = t
	}
	return m
}

func (d *decoder) enhanced() delivery.Enhanced {
	return delivery.Enhanced{Class: uint8(d.int()), Subject: uint16(d.int()), Detail: uint16(d.int())}
}
