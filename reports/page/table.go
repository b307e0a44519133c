package page

import (
	"math"
	"strings"

	"repute/reports"
)

// firstRows is how many pairs stand in the page itself; the script makes the
// others from data, so that thousands stay quick.
const firstRows = 200

// table is every pair, the gravest first.
type table struct {
	Pairs []tableRow
	All   int
}

type tableRow struct {
	*reports.Pair
	Band, Cause string
}

func tablePanel(b *builder) any {
	if len(b.Pairs) == 0 {
		return nil
	}
	t := &table{All: len(b.Pairs)}
	ids := indexes{at: map[string]int{}}
	rows := make([][]any, 0, len(b.Pairs))
	for i := range b.Pairs {
		r := newTableRow(b, &b.Pairs[i])
		if i < firstRows {
			t.Pairs = append(t.Pairs, r)
		}
		rows = append(rows, r.data(b, &ids))
	}
	b.data["rows"], b.data["words"] = rows, ids.words
	b.data["text"] = map[string]string{
		"count": b.w.Say("table.count", "n", "{n}", "all", "{all}"), "first": b.w.Say("table.count_first", "n", "{n}", "all", "{all}", "shown", "{shown}"),
		"up": b.w.Say("score.up"), "down": b.w.Say("score.down"), "same": b.w.Say("score.same"),
		"group": between(b.w.Number(1000), "1", "000"), "decimal": between(b.w.Decimal(0.5, 1), "0", "5"),
		"period": reports.PeriodID(b.Period),
	}
	return t
}

func newTableRow(b *builder, p *reports.Pair) tableRow {
	r := tableRow{Pair: p, Band: b.w.Say("band." + p.Band)}
	switch {
	case p.Unknown:
		r.Band = b.w.Say("score.unknown_needs", "n", p.Needs)
	case p.Borrowed:
		r.Band = b.w.Say("score.with_borrowed", "band", r.Band)
	}
	if f := p.Fall; f != nil {
		key := "table.cause_since"
		if p.Recovered {
			key = "table.cause_back"
		}
		r.Cause = b.w.Say(key, "cause", reports.CauseWord(b.w, f.Cause), "since", f.Since, "before", f.Before, "after", f.After)
	}
	return r
}

// ViewKey is the word for what the score knows.
func (r *tableRow) ViewKey() string {
	if r.View != nil {
		return "table.view_full"
	}
	return "table.view_smtp"
}

// The marks of a row in the page's data.
const (
	markUnknown = 1 << iota
	markBorrowed
	markHot // fallen and not back
	markFull
)

// data is a row as page.js reads it: see "row" there.
func (r *tableRow) data(b *builder, ids *indexes) []any {
	marks := 0
	for _, m := range []struct {
		is   bool
		mark int
	}{{r.Unknown, markUnknown}, {r.Borrowed, markBorrowed}, {r.Fall != nil && !r.Recovered, markHot}, {r.View != nil, markFull}} {
		if m.is {
			marks |= m.mark
		}
	}
	return []any{
		ids.of(r.IP), ids.of(r.Receiver.Name), round1(r.Score), math.Round(r.Lo), math.Round(r.Hi), marks, ids.of(r.Band), r.Delta(),
		r.Counts.First(), r.Counts.Accepted, r.Deferred(), r.Refused(), ids.of(reports.ReasonWord(b.w, r.Reason)), ids.of(r.Cause), ids.of(b.w.Say(r.ViewKey())),
	}
}

// between is what stands between two texts.
func between(s, before, after string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, before), after)
}

func round1(x float64) float64 { return math.Round(10*x) / 10 }

// indexes keeps each word once.
type indexes struct {
	words []string
	at    map[string]int
}

func (x *indexes) of(word string) int {
	i, ok := x.at[word]
	if !ok {
		i = len(x.words)
		x.at[word] = i
		x.words = append(x.words, word)
	}
	return i
}
