package ingest

import (
	"math/bits"

	"repute/internal/store"
)

// cell is what evidence is counted by.
type cell struct {
	Hour                     int64 // Unix seconds
	Origin, Receiver, Domain int32
}

// cells are a batch's evidence, one row for each outcome in a cell. Nearly
// each attempt finds its row, in memory that is seldom in the cache: a table of
// our own looks at it once, where a map would keep the keys a second time.
type cells struct {
	rows  []store.Count
	slots []int32 // indexes of rows, from 1 on; a power of two, at most half full
}

// add counts outcomes of a cell.
func (t *cells) add(c cell, what store.Outcome, n int32) {
	if 2*len(t.rows) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := c.hash(what); ; i++ {
		slot := &t.slots[i&mask]
		if *slot == 0 {
			t.rows = append(t.rows, store.Count{Hour: c.Hour, Origin: c.Origin, Receiver: c.Receiver, Domain: c.Domain, What: what, N: n})
			*slot = int32(len(t.rows))
			return
		}
		if r := &t.rows[*slot-1]; r.Hour == c.Hour && r.Domain == c.Domain && r.Receiver == c.Receiver && r.Origin == c.Origin && r.What == what {
			r.N += n
			return
		}
	}
}

func (t *cells) grow() {
	t.slots = make([]int32, max(1024, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for n := range t.rows {
		r := &t.rows[n]
		i := cell{r.Hour, r.Origin, r.Receiver, r.Domain}.hash(r.What)
		for t.slots[i&mask] != 0 {
			i++
		}
		t.slots[i&mask] = int32(n + 1)
	}
}

// hash spreads cells: they are made of our own small numbers.
func (c cell) hash(what store.Outcome) uint64 {
	hi, lo := bits.Mul64(uint64(c.Domain)<<32|uint64(uint32(c.Receiver)), 0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo^uint64(c.Hour)<<20^uint64(uint32(c.Origin))<<4^uint64(what), 0xd6e8feb86659fd93)
	return hi ^ lo
}

// clear forgets the rows; the memory is used again.
func (t *cells) clear() {
	t.rows = t.rows[:0]
	clear(t.slots)
}
