package follow

import (
	"context"
	"time"
)

// keeper knows when to delete what is older than it is kept.
type keeper struct{ next time.Time }

const (
	retainEvery = 24 * time.Hour
	retainAgain = time.Hour // after a failure
	// retainedAt is the store's key for when it was done: a daemon that is
	// restarted daily would never do it, or at each start.
	retainedAt = "retained_at"
)

// retain deletes, once a day, what is older than the configuration keeps. It
// runs between transactions: lines wait for it.
func (d *Daemon) retain(ctx context.Context) {
	now := d.o.Now()
	if now.Before(d.keep.next) {
		return
	}
	if d.keep.next.IsZero() {
		kept, _ := d.o.Store.Meta(ctx, retainedAt)
		last, err := time.Parse(time.RFC3339, kept)
		if err == nil && !last.After(now) {
			d.keep.next = last.Add(retainEvery)
		}
		if now.Before(d.keep.next) {
			return
		}
	}
	var rows int64
	err := d.busy(func() (err error) {
		rows, err = d.o.Store.Retain(ctx, d.current().Keep)
		return err
	})
	if err == nil {
		err = d.o.Store.SetMeta(ctx, retainedAt, now.UTC().Format(time.RFC3339))
	}
	if err != nil {
		d.keep.next = now.Add(retainAgain)
		if ctx.Err() == nil {
			d.o.Log.Error("what is older than [store.retention] is not deleted; tried again", "why", err, "in", retainAgain)
		}
		return
	}
	d.keep.next = now.Add(retainEvery)
	if rows > 0 {
		d.o.Log.Info("deleted what is older than [store.retention]", "rows", rows, "took", d.o.Now().Sub(now).Round(time.Millisecond))
	}
}

// busy runs what may take long and is progress all the same.
func (d *Daemon) busy(f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	for tick := time.NewTicker(time.Second); ; {
		select {
		case err := <-done:
			tick.Stop()
			return err
		case <-tick.C:
			d.o.Alive()
		}
	}
}
