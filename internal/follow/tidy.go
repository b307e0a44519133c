package follow

import (
	"context"
	"runtime/debug"
	"time"
)

const tidyEvery = time.Minute

// tidy hands memory back that was needed for a while and is not now: for a
// backlog, a report. It runs between transactions.
func (d *Daemon) tidy(ctx context.Context) {
	now := d.o.Now()
	if now.Sub(d.tidied) < tidyEvery || !d.o.Using.TryLock() {
		return
	}
	defer d.o.Using.Unlock()
	d.tidied = now
	if err := d.o.Store.Tidy(ctx); err != nil && ctx.Err() == nil {
		d.o.Log.Warn("memory is not handed back", "why", err)
	}
	debug.FreeOSMemory()
}
