package ingest

import (
	"context"

	"repute/internal/store"
)

// writer commits batches on a goroutine of its own, one after the other, so
// that the next is read and booked meanwhile.
type writer struct {
	store   *store.Store
	pending chan error // of the batch that is being written; nil: there is none
}

// start begins to write a batch; the one before must have been waited for.
func (w *writer) start(ctx context.Context, b *store.Batch) {
	done := make(chan error, 1)
	w.pending = done
	go func() { done <- w.store.Commit(ctx, b) }()
}

// wait waits until all is written. The error, a *stopError, is told once.
func (w *writer) wait() error {
	if w.pending == nil {
		return nil
	}
	err := <-w.pending
	w.pending = nil
	if err != nil {
		return &stopError{err}
	}
	return nil
}
