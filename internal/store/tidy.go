package store

import (
	"context"
	"fmt"
)

// lastingSettings have freed memory go back to the system soon.
const lastingSettings = "SET allocator_flush_threshold='64KB';SET allocator_bulk_deallocation_flush_threshold='64KB';" +
	"SET allocator_background_threads=true"

// cacheKept is how much of the file Tidy leaves in memory: room for what is
// asked meanwhile, too.
const cacheKept = 2 << 20

// Tidy gives back the memory in which a Lasting store holds blocks that it has
// read or written: by itself it fills all that it may use with them, and the
// system has them, too. A large question that is asked at the same moment may
// fail for lack of memory: the caller sees to it that there is none.
func (s *Store) Tidy(ctx context.Context) error {
	var all, cache int64
	err := s.db.QueryRowContext(ctx, `SELECT sum(memory_usage_bytes)::BIGINT, coalesce(sum(memory_usage_bytes) FILTER (tag = 'BASE_TABLE'), 0)::BIGINT
		FROM duckdb_memory()`).Scan(&all, &cache)
	if err != nil || cache <= 2*cacheKept {
		return err
	}
	// A lower limit drops what was not used lately. Where it can't be reached
	// the old one stays, and that is fine, too.
	_, _ = s.db.ExecContext(ctx, fmt.Sprintf("SET memory_limit='%dB'", all-cache+cacheKept))
	_, err = s.db.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("SET memory_limit='%dB'", s.opts.memoryLimit()))
	return err
}

// Checkpoint writes what was committed into the file itself: it is compressed
// there, and gone from memory and from the log of changes.
func (s *Store) Checkpoint(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "CHECKPOINT")
	return err
}

// makeRoom raises the limit where what is to be remembered of open messages is
// large: it is held several times over until the next checkpoint.
func (w *Write) makeRoom(open int) {
	if need := w.s.opts.memoryLimit() + 5*int64(open); w.s.opts.Loading && open > 1<<20 && need > w.s.room {
		w.s.room = need + need/4
		w.exec(fmt.Sprintf("SET memory_limit='%dB'", w.s.room))
	}
}

// memoryLimit is the limit in bytes.
func (o Options) memoryLimit() int64 {
	switch {
	case o.MemoryLimit > 0:
		return o.MemoryLimit
	case o.Loading:
		return 40 << 20 // nothing is read twice
	}
	return 512 << 20
}
