package store

import (
	"context"
	"database/sql"
	"strconv"

	"repute/delivery"
)

// Step is one event in the life of a message.
type Step struct {
	Message      int64
	QueueID      string
	Host         string
	Arrived      int64 // Unix microseconds: its first outcome less what that took, as far as the log tells
	SenderDomain string
	Bounce       bool

	At               int64
	Kind             delivery.Kind
	Status           delivery.Status
	Attempted, First bool
	Domain, Receiver string
	Origin           int32
	Code             uint16
	Reply            string
	Reason           string
	Recipient        uint64 // keyed hash: tells recipients of one message apart
}

// Trace finds the messages with a queue id, or with a sender, recipient or
// message-id of this keyed hash, and their events in order.
func (s *Store) Trace(ctx context.Context, queueID string, hash uint64) ([]Step, error) {
	return collect(ctx, s, query("trace"), func(r *sql.Rows) (v Step, err error) {
		return v, r.Scan(&v.Message, &v.QueueID, &v.Host, &v.Arrived, &v.SenderDomain, &v.Bounce,
			&v.At, &v.Kind, &v.Status, &v.Attempted, &v.First, &v.Domain, &v.Receiver, &v.Origin,
			&v.Code, &v.Reply, &v.Reason, &v.Recipient)
	}, queueID, strconv.FormatUint(hash, 10)) // the driver takes no uint64 with its highest bit set
}
