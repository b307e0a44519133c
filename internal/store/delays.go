package store

import (
	"context"
	"database/sql"
	"math"
	"time"
)

// DelayCount is how many mails took about as long.
type DelayCount struct {
	Origin, Receiver int32
	Before           bool  // in the time before the period
	Step             int32 // DelayOf tells the time
	Mails            int64
}

// DelayOf is the middle of a step's times.
func DelayOf(step int32) time.Duration {
	return time.Duration(math.Exp2((float64(step)+0.5)/16) * float64(time.Millisecond))
}

// Delays counts accepted mails by the time they took, in [from, to) and in
// [before, from) (Unix microseconds).
func (s *Store) Delays(ctx context.Context, before, from, to int64) ([]DelayCount, error) {
	return collect(ctx, s, query("delays"), func(r *sql.Rows) (v DelayCount, err error) {
		return v, r.Scan(&v.Origin, &v.Receiver, &v.Before, &v.Step, &v.Mails)
	}, from/1e6, before/1e6, to/1e6)
}
