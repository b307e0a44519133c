package store

import (
	"context"
	"database/sql"
	"iter"
)

// evidenceWindow is how much is asked for at once, in seconds: the database
// keeps a whole answer in memory.
const evidenceWindow = 28 * 24 * 3600

// Evidence yields the hourly counts of [from, to) (Unix seconds), in order of
// hour, origin, receiver; the domain is 0. With byDomain they are daily counts
// by domain, too, and the hour is that of the day's noon in UTC.
func (s *Store) Evidence(ctx context.Context, from, to int64, byDomain bool) iter.Seq2[Evidence, error] {
	return func(yield func(Evidence, error) bool) {
		const day = 24 * 3600 // a day's noon lies before or after its hours
		first, last, err := s.Hours(ctx, to+day)
		if err != nil {
			yield(Evidence{}, err)
			return
		}
		q := query("evidence_hour")
		if byDomain {
			q = query("evidence_day")
		}
		var c cell
		for at := max(from, first-day); at < min(to, last+day); at += evidenceWindow {
			for r, err := range rows(ctx, s, q, scanCount, at, min(to, at+evidenceWindow)) {
				if err != nil {
					yield(Evidence{}, err)
					return
				}
				if c.full(&r) && !yield(c.evidence(), nil) {
					return
				}
				c.add(&r)
			}
			if c.sums != [16]int64{} && !yield(c.evidence(), nil) {
				return
			}
			c = cell{}
		}
	}
}

// stored is one row of counts: when, origin and receiver, domain, what, how
// many.
type stored [5]int64

// scanCount reads into interfaces: database/sql hands those on as they are,
// and turns a number for any other place into text and back.
func scanCount(r *sql.Rows) (out stored, err error) {
	var v [5]any
	err = r.Scan(&v[0], &v[1], &v[2], &v[3], &v[4])
	for i := range v {
		out[i], _ = v[i].(int64)
	}
	return out, err
}

// cell adds up the rows of one hour, origin, receiver and domain.
type cell struct {
	key  [3]int64
	sums [16]int64
}

// full tells whether a row is of another cell.
func (c *cell) full(r *stored) bool {
	return c.sums != [16]int64{} && c.key != [3]int64(r[:3])
}

func (c *cell) add(r *stored) {
	if c.key != [3]int64(r[:3]) {
		*c = cell{key: [3]int64(r[:3])}
	}
	if r[3] >= 0 && r[3] < 16 {
		c.sums[r[3]] += r[4]
	}
}

// listed is the count that is of others, too: what it counts is in them.
const listed = 6

func (c *cell) evidence() Evidence {
	e := Evidence{Hour: c.key[0], Origin: int32(c.key[1] >> 32), Receiver: int32(c.key[1] & 0xffffffff), Domain: int32(c.key[2])}
	attempts := int64(0)
	for i, field := range counts(&e.Counts) {
		*field = uint32(max(c.sums[i], 0))
		if i != listed {
			attempts += c.sums[i]
		}
	}
	e.Attempts = uint32(max(attempts, 0))
	return e
}
