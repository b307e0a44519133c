package rules

import (
	"encoding/binary"
	"iter"
	mathbits "math/bits"
	"strings"
)

// literals are the words of all rules. One walk over a text finds those that
// occur in it: at each position the next four bytes lead to the few literals
// that start with them.
type literals struct {
	texts []string
	ids   map[string]int32
	start map[uint32][]int32 // by their first four bytes
	begun [1 << 14]bool      // whether some literal starts with bytes of this hash
	short []int32            // shorter than a gram
	users [][]int32          // by literal: the rules that it may let win
}

const gram = 4

func newLiterals() *literals {
	return &literals{ids: map[string]int32{}, start: map[uint32][]int32{}}
}

// add returns the ids of literals, given in lower case.
func (l *literals) add(texts []string) []int32 {
	out := make([]int32, len(texts))
	for i, text := range texts {
		id, ok := l.ids[text]
		if !ok {
			id = int32(len(l.texts))
			l.ids[text] = id
			l.texts = append(l.texts, text)
			l.users = append(l.users, nil)
			if len(text) < gram {
				l.short = append(l.short, id)
			} else {
				key := binary.LittleEndian.Uint32([]byte(text[:gram]))
				l.start[key] = append(l.start[key], id)
				l.begun[gramHash(key)] = true
			}
		}
		out[i] = id
	}
	return out
}

// use notes that a rule looks for literals.
func (l *literals) use(rule int32, ids ...[]int32) {
	for _, list := range ids {
		for _, id := range list {
			l.users[id] = append(l.users[id], rule)
		}
	}
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(i int32) bool { return b[i>>6]&(1<<(i&63)) != 0 }

func (b bits) add(i int32) { b[i>>6] |= 1 << (i & 63) }

// grown has room for the numbers below n.
func (b bits) grown(n int) bits { return append(b, make(bits, (n+63)/64-len(b))...) }

// all yields the numbers, the smallest first.
func (b bits) all() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, w := range b {
			for ; w != 0; w &= w - 1 {
				if !yield(int32(i<<6 + mathbits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// longest is the length of the longest of some literals that occurs; 0 if none
// does.
func (l *literals) longest(h bits, ids []int32) (n int) {
	for _, id := range ids {
		if h.has(id) {
			n = max(n, len(l.texts[id]))
		}
	}
	return n
}

func (l *literals) find(text string) bits {
	h := bits(nil).grown(len(l.texts))
	for _, id := range l.short {
		if strings.Contains(text, l.texts[id]) {
			h.add(id)
		}
	}
	var key uint32
	for i := range len(text) {
		key = key>>8 | uint32(text[i])<<24
		if !l.begun[gramHash(key)] || i+1 < gram {
			continue
		}
		for _, id := range l.start[key] {
			if strings.HasPrefix(text[i+1-gram:], l.texts[id]) {
				h.add(id)
			}
		}
	}
	return h
}

func gramHash(key uint32) uint32 { return key * 2654435761 >> 18 }
