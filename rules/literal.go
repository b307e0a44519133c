package rules

import "strings"

// literals are the words of all rules. One walk over a text finds those that
// occur in it: at each position the next four bytes lead to the few literals
// that start with them.
type literals struct {
	texts []string
	ids   map[string]int32
	start map[[gram]byte][]int32
	short []int32 // shorter than a gram
}

const gram = 4

func newLiterals() *literals {
	return &literals{ids: map[string]int32{}, start: map[[gram]byte][]int32{}}
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
			if len(text) < gram {
				l.short = append(l.short, id)
			} else {
				key := [gram]byte([]byte(text[:gram]))
				l.start[key] = append(l.start[key], id)
			}
		}
		out[i] = id
	}
	return out
}

// hits are the literals that occur in a text, a bit for each.
type hits []uint64

func (h hits) has(id int32) bool { return h[id>>6]&(1<<(id&63)) != 0 }

func (h hits) add(id int32) { h[id>>6] |= 1 << (id & 63) }

// longest is the length of the longest of some literals that occurs; 0 if none
// does.
func (l *literals) longest(h hits, ids []int32) (n int) {
	for _, id := range ids {
		if h.has(id) {
			n = max(n, len(l.texts[id]))
		}
	}
	return n
}

func (l *literals) find(text string) hits {
	h := make(hits, (len(l.texts)+63)/64)
	for _, id := range l.short {
		if strings.Contains(text, l.texts[id]) {
			h.add(id)
		}
	}
	for i := 0; i+gram <= len(text); i++ {
		for _, id := range l.start[[gram]byte([]byte(text[i:i+gram]))] {
			if strings.HasPrefix(text[i:], l.texts[id]) {
				h.add(id)
			}
		}
	}
	return h
}
