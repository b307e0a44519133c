package store

import (
	"context"
	"database/sql"

	"repute/delivery"
)

// Likeness is what two lines about the same attempt have in common, whatever
// file they stand in.
type Likeness struct {
	QueueID           string // bounces of one second are alike in all else
	At                int64  // Unix seconds
	Recipient         uint64 // keyed hash
	Status            delivery.Status
	Queue, Conn, Xmit uint8 // coded
}

// LikenessOf returns the likeness of an event for a recipient.
func LikenessOf(e *delivery.Event, recipient uint64) Likeness {
	return Likeness{string(e.QueueID), seconds(e.At), recipient, e.Status, latency(e.QueueS), latency(e.ConnS), latency(e.XmitS)}
}

// Likenesses counts the attempts of a host in an hour (Unix seconds), as all
// streams but one tell of them.
func (s *Store) Likenesses(ctx context.Context, host string, but int32, hour int64) (map[Likeness]int, error) {
	known := map[Likeness]int{}
	type counted struct {
		Likeness
		n int
	}
	for v, err := range rows(ctx, s, query("likenesses"), func(r *sql.Rows) (v counted, err error) {
		return v, r.Scan(&v.QueueID, &v.At, &v.Recipient, &v.Status, &v.Queue, &v.Conn, &v.Xmit, &v.n)
	}, host, but, hour, hour+3600) {
		if err != nil {
			return nil, err
		}
		known[v.Likeness] = v.n
	}
	return known, nil
}

// Span is from when to when a stream tells of a host.
type Span struct {
	Host     string
	Stream   int32
	From, To int64 // Unix seconds
}

// Spans lists the spans of all streams and hosts.
func (s *Store) Spans(ctx context.Context) ([]Span, error) {
	return collect(ctx, s, `SELECT o.host, e.stream, min(e.ts), max(e.ts) FROM event e JOIN origin o ON o.id = e.origin
		WHERE e.kind IN (2, 4) GROUP BY ALL`,
		func(r *sql.Rows) (v Span, err error) { return v, r.Scan(&v.Host, &v.Stream, &v.From, &v.To) })
}
