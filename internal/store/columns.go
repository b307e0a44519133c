package store

import (
	"cmp"
	"math"
	"slices"

	"repute/delivery"
)

// The columns of the tables that grow with each line, in their order.

func domainColumns() []column[Named] {
	return []column[Named]{
		numbers(func(n *Named) int32 { return n.ID }),
		texts(func(n *Named) string { return n.Name }),
	}
}

func messageColumns() []column[Message] {
	return []column[Message]{
		numbers(func(m *Message) int64 { return m.ID }),
		texts(func(m *Message) string { return m.QueueID }),
		numbers(func(m *Message) int32 { return m.Origin }),
		numbers(func(m *Message) int64 { return seconds(m.At) }),
		numbers(func(m *Message) uint64 { return m.MessageID }),
		numbers(func(m *Message) uint64 { return m.Sender }),
		numbers(func(m *Message) bool { return m.Bounce }),
	}
}

func eventColumns() []column[Event] {
	return []column[Event]{
		numbers(func(e *Event) int64 { return seconds(e.At) }),
		numbers(func(e *Event) int32 { return int32(e.At - seconds(e.At)*1e6) }),
		numbers(func(e *Event) int64 { return e.Message }),
		numbers(func(e *Event) int32 { return e.Origin }),
		numbers(func(e *Event) int32 { return e.Receiver }),
		numbers(func(e *Event) int32 { return e.Domain }),
		numbers(func(e *Event) uint64 { return e.Recipient }),
		numbers(func(e *Event) int32 { return e.Template }),
		numbers(func(e *Event) uint8 { return uint8(e.Kind) }),
		numbers(func(e *Event) uint8 { return uint8(e.Status) }),
		numbers(func(e *Event) uint8 { return uint8(e.Class) }),
		numbers(func(e *Event) bool { return e.Attempted }),
		numbers(func(e *Event) bool { return e.First }),
		numbers(func(e *Event) bool { return e.Bounce }),
		numbers(func(e *Event) uint8 { return latency(e.QueueS) }),
		numbers(func(e *Event) uint8 { return latency(e.ConnS) }),
		numbers(func(e *Event) uint8 { return latency(e.XmitS) }),
		numbers(func(e *Event) int32 { return e.Stream }),
		numbers(func(e *Event) int64 { return e.Line }),
	}
}

// seconds rounds Unix microseconds down.
func seconds(micros int64) int64 {
	if micros < 0 {
		return (micros - 999_999) / 1e6
	}
	return micros / 1e6
}

// latency codes seconds in eighths of their power of two, which is about as
// exact as two digits: 0 for unknown, 1 for a millisecond and less, else
// 2^((code-1)/8 - 10) seconds.
func latency(s float32) uint8 {
	if s < 0 || s != s {
		return 0
	}
	const millisecond = 127 - 10 // the exponent of 2⁻¹⁰ as floats have it
	bits := math.Float32bits(s)
	step := (int32(bits>>23)-millisecond)*8 + int32(eighths[bits>>17&63])
	return uint8(min(max(step, 0), 254) + 1)
}

// eighths are the logarithms of fractions, given by their six highest bits.
var eighths = func() (t [64]uint8) {
	for i := range t {
		t[i] = uint8(math.Round(8 * math.Log2(1+(float64(i)+0.5)/64)))
	}
	return t
}()

// count is one number of a cell of evidence, as it is stored.
type count struct {
	hour                     int64
	origin, receiver, domain int32
	what                     uint8
	n                        int32
}

func hourColumns() []column[count] {
	return []column[count]{
		numbers(func(c *count) int64 { return c.hour }),
		numbers(func(c *count) int32 { return c.origin }),
		numbers(func(c *count) int32 { return c.receiver }),
		numbers(func(c *count) uint8 { return c.what }),
		numbers(func(c *count) int32 { return c.n }),
	}
}

func dayColumns() []column[count] {
	return slices.Insert(hourColumns(), 3, numbers(func(c *count) int32 { return c.domain }))
}

func replyColumns() []column[ReplyCount] {
	return []column[ReplyCount]{
		numbers(func(r *ReplyCount) int64 { return r.Hour }),
		numbers(func(r *ReplyCount) int32 { return r.Origin }),
		numbers(func(r *ReplyCount) int32 { return r.Receiver }),
		numbers(func(r *ReplyCount) int32 { return r.Template }),
		numbers(func(r *ReplyCount) uint8 { return uint8(r.Class) }),
		numbers(func(r *ReplyCount) int32 { return r.First }),
		numbers(func(r *ReplyCount) int32 { return r.Attempts }),
		numbers(func(r *ReplyCount) int64 { return seconds(r.From) }),
		numbers(func(r *ReplyCount) int64 { return seconds(r.To) }),
	}
}

// counts lists the fields of Counts by their number in the table outcome. The
// last is stored without the first outcomes.
func counts(c *delivery.Counts) [16]*uint32 {
	return [...]*uint32{
		&c.Accepted, &c.DeferPolicy, &c.DeferSlow, &c.DeferQuick, &c.RejectPolicy, &c.RejectGeneric, &c.Listed, &c.Content,
		&c.UnknownUser, &c.MailboxFull, &c.Connection, &c.Greylisted, &c.Throttled, &c.Config, &c.Other, &c.Attempts,
	}
}

// roller adds the evidence of batches up, in memory that it uses again.
type roller struct {
	keys []rolled
	out  []count
}

// rolled is a row of evidence as it is put in order.
type rolled struct {
	hour, who, domain int64
	row               int32
}

// up adds evidence up by a key, in the key's order. Of attempts what is stored
// are those beyond the first outcomes. It is valid until the next call.
func (r *roller) up(rows []Evidence, key func(*Evidence) count) []count {
	r.keys, r.out = slices.Grow(r.keys[:0], len(rows)), slices.Grow(r.out[:0], len(rows)+len(rows)/8)
	for i := range rows {
		c := key(&rows[i])
		r.keys = append(r.keys, rolled{c.hour, int64(c.origin)<<32 | int64(c.receiver), int64(c.domain), int32(i)})
	}
	slices.SortFunc(r.keys, func(a, b rolled) int {
		switch {
		case a.hour != b.hour:
			return cmp.Compare(a.hour, b.hour)
		case a.who != b.who:
			return cmp.Compare(a.who, b.who)
		}
		return cmp.Compare(a.domain, b.domain)
	})
	for keys := r.keys; len(keys) > 0; {
		first := keys[0]
		cell := key(&rows[first.row])
		var sum delivery.Counts
		for len(keys) > 0 && keys[0].hour == first.hour && keys[0].who == first.who && keys[0].domain == first.domain {
			sum.Add(&rows[keys[0].row].Counts)
			keys = keys[1:]
		}
		sum.Attempts -= sum.First()
		for what, n := range counts(&sum) {
			if *n != 0 {
				cell.what, cell.n = uint8(what), int32(*n)
				r.out = append(r.out, cell)
			}
		}
	}
	return r.out
}

func byHour(e *Evidence) count {
	return count{hour: e.Hour, origin: e.Origin, receiver: e.Receiver}
}

// byDay keeps the recipient's domain. The day is given by its noon in UTC, so
// that it is the same day in nearly every zone.
func byDay(e *Evidence) count {
	day := e.Hour - e.Hour%86400
	if e.Hour < 0 && e.Hour%86400 != 0 {
		day -= 86400
	}
	return count{hour: day + 43200, origin: e.Origin, receiver: e.Receiver, domain: e.Domain}
}
