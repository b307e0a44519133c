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
		texts(func(e *Event) string { return e.QueueID }),
		numbers(func(e *Event) uint64 { return e.MessageID }),
		numbers(func(e *Event) uint64 { return e.Sender }),
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

func hourColumns() []column[Count] {
	return []column[Count]{
		numbers(func(c *Count) int64 { return c.Hour }),
		numbers(func(c *Count) int32 { return c.Origin }),
		numbers(func(c *Count) int32 { return c.Receiver }),
		numbers(func(c *Count) uint8 { return uint8(c.What) }),
		numbers(func(c *Count) int32 { return c.N }),
	}
}

func dayColumns() []column[Count] {
	return slices.Insert(hourColumns(), 3, numbers(func(c *Count) int32 { return c.Domain }))
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

// roller adds the counts of batches up, in memory that it uses again.
type roller struct {
	keys []rolled
	out  []Count
}

// rolled is a count as it is put in order.
type rolled struct {
	hour, who int64
	what      int64 // domain and outcome
	n         int32
}

// up adds counts up by a key, in the key's order. It is valid until the next
// call.
func (r *roller) up(rows []Count, key func(*Count) Count) []Count {
	r.keys, r.out = slices.Grow(r.keys[:0], len(rows)), slices.Grow(r.out[:0], len(rows))
	for i := range rows {
		c := key(&rows[i])
		r.keys = append(r.keys, rolled{c.Hour, int64(c.Origin)<<32 | int64(c.Receiver), int64(c.Domain)<<8 | int64(c.What), c.N})
	}
	slices.SortFunc(r.keys, func(a, b rolled) int {
		switch {
		case a.hour != b.hour:
			return cmp.Compare(a.hour, b.hour)
		case a.who != b.who:
			return cmp.Compare(a.who, b.who)
		}
		return cmp.Compare(a.what, b.what)
	})
	for keys := r.keys; len(keys) > 0; {
		sum := keys[0]
		for keys = keys[1:]; len(keys) > 0 && keys[0].hour == sum.hour && keys[0].who == sum.who && keys[0].what == sum.what; keys = keys[1:] {
			sum.n += keys[0].n
		}
		if sum.n != 0 {
			r.out = append(r.out, Count{sum.hour, int32(sum.who >> 32), int32(sum.who), int32(sum.what >> 8), sum.n, Outcome(sum.what)})
		}
	}
	return r.out
}

func byHour(c *Count) Count {
	out := *c
	out.Domain = 0
	return out
}

// byDay keeps the recipient's domain. The day is given by its noon in UTC, so
// that it is the same day in nearly every zone.
func byDay(c *Count) Count {
	day := c.Hour - c.Hour%86400
	if c.Hour < 0 && c.Hour%86400 != 0 {
		day -= 86400
	}
	out := *c
	out.Hour = day + 43200
	return out
}
