package ingest

import (
	"context"

	"repute/internal/store"
)

// writer writes what was booked on a goroutine of its own, so that the lines
// after it are read and booked meanwhile.
type writer struct {
	store *store.Store
	parts chan part          // nil: the goroutine does not run
	spare chan []store.Event // memory to be used again
	ended chan struct{}
	done  chan error // of the batch that is being committed; nil: there is none
}

// part is some of a batch's events; the last has the rest of the batch.
type part struct {
	events []store.Event
	batch  *store.Batch
	done   chan error
}

const (
	// partRows is how many events are handed over together.
	partRows = 2048
	// partsAhead is how many parts may wait: as many as a checkpoint takes the
	// time of.
	partsAhead = 12
	// batchRows is how many events end a batch: DuckDB puts as many rows in a
	// group, and takes whole groups over as they were written into the file,
	// while fewer are written to its log of changes first. It must be exact: at a
	// checkpoint small groups are merged, together with the whole ones between.
	batchRows = 122_880
)

// start lets the writer's goroutine run, until stop.
func (w *writer) start(ctx context.Context) {
	if w.parts != nil || w.store == nil {
		return
	}
	w.parts, w.spare, w.ended = make(chan part, partsAhead), make(chan []store.Event, partsAhead+1), make(chan struct{})
	go func() {
		defer close(w.ended)
		w.write(ctx)
	}()
}

// stop ends it. A batch that was not committed is taken back.
func (w *writer) stop() {
	if w.parts != nil {
		close(w.parts)
		<-w.ended
		w.parts = nil
	}
}

func (w *writer) write(ctx context.Context) {
	var tx *store.Write
	var failed error
	for p := range w.parts {
		if failed == nil && tx == nil {
			tx = w.store.Begin(ctx)
		}
		if tx != nil {
			tx.Add(p.events)
		}
		clear(p.events) // their texts
		select {
		case w.spare <- p.events[:0]:
		default:
		}
		if p.batch == nil {
			continue
		}
		if tx != nil {
			failed = tx.Commit(p.batch)
			tx = nil
		}
		p.done <- failed // after one that failed none may follow: it would leave a gap
	}
	if tx != nil {
		_ = tx.Rollback() // nobody waits for it
	}
}

// put hands events over and returns memory for the next.
func (w *writer) put(p part) []store.Event {
	w.parts <- p
	select {
	case events := <-w.spare:
		return events
	default:
		return nil
	}
}

// commit hands the last events of a batch over; the batch before must have
// been waited for.
func (w *writer) commit(events []store.Event, b *store.Batch) []store.Event {
	w.done = make(chan error, 1)
	return w.put(part{events, b, w.done})
}

// wait waits until the batch is written that was committed last. The error, a
// *stopError, is told once.
func (w *writer) wait() error {
	if w.done == nil {
		return nil
	}
	err := <-w.done
	w.done = nil
	if err != nil {
		return &stopError{err}
	}
	return nil
}
