package follow

import (
	"context"
	"runtime/debug"
	"time"
)

const tidyEvery = time.Minute

// tidier hands memory back that was needed for a while and is not now: for a
// backlog, a report.
type tidier struct {
	at   time.Time
	new  bool // lines were committed since
	rest bool // none since the last checkpoint
}

// tidy runs between transactions.
func (d *Daemon) tidy(ctx context.Context) {
	now, w := d.o.Now(), &d.tidier
	if now.Sub(w.at) < tidyEvery || !d.o.Using.TryLock() {
		return
	}
	defer d.o.Using.Unlock()
	w.at = now
	var err error
	switch {
	case w.new:
		w.new, w.rest = false, false
	case !w.rest: // the rows of the last lines are in memory still
		err = d.o.Store.Checkpoint(ctx)
		w.rest = err == nil
	}
	if err == nil {
		err = d.o.Store.Tidy(ctx)
	}
	if err != nil && ctx.Err() == nil {
		d.o.Log.Warn("memory is not handed back; tried again", "why", err, "in", tidyEvery)
	}
	debug.FreeOSMemory()
}
