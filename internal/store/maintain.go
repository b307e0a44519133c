package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Verify reads every table to its end, so that damaged blocks are found, and
// checks what must hold: the ranges of each stream tile what was read, counts
// agree, ids lead somewhere. It returns what does not hold, in words.
func (s *Store) Verify(ctx context.Context) (faults []string, err error) {
	if faults, err = s.unreadable(ctx); err != nil || len(faults) > 0 {
		return faults, err
	}
	for _, c := range strings.Split(query("verify"), ";\n") {
		name, text, ok := strings.Cut(strings.TrimSpace(c), "\n")
		if !ok {
			continue
		}
		found, err := collect(ctx, s, text, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) })
		if err != nil {
			return faults, fmt.Errorf("%s: %w", name, err)
		}
		for _, f := range found {
			faults = append(faults, strings.TrimPrefix(name, "-- ")+": "+f)
		}
	}
	return faults, nil
}

// unreadable reads every table to its end and names those that can't be.
func (s *Store) unreadable(ctx context.Context) (faults []string, err error) {
	tables, err := collect(ctx, s, "SELECT table_name FROM information_schema.tables ORDER BY table_name",
		func(r *sql.Rows) (name string, err error) { return name, r.Scan(&name) })
	if err != nil {
		return nil, err
	}
	for _, table := range tables {
		var sum sql.NullInt64
		q := fmt.Sprintf("SELECT (bit_xor(hash(t)) %% 1000)::BIGINT FROM %q t", table)
		if err := s.db.QueryRowContext(ctx, q).Scan(&sum); err != nil {
			faults = append(faults, fmt.Sprintf("table %s can't be read: %v", table, err))
		}
	}
	return faults, nil
}

// Forget takes a keyed hash of an address out of all tables. It returns in how
// many rows it stood.
func (s *Store) Forget(ctx context.Context, hash uint64) (n int64, err error) {
	h := strconv.FormatUint(hash, 10)
	for _, q := range []string{
		"UPDATE event SET recipient = 0 WHERE recipient = " + h,
		"UPDATE event SET sender = 0 WHERE sender = " + h,
	} {
		r, err := s.db.ExecContext(ctx, q)
		if err != nil {
			return n, err
		}
		k, err := r.RowsAffected()
		if err != nil {
			return n, err
		}
		n += k
	}
	_, err = s.db.ExecContext(ctx, "CHECKPOINT")
	return n, err
}

// Keep is how long events and evidence are kept, counted back from the newest
// line; 0 keeps them for good.
type Keep struct{ Events, Evidence time.Duration }

// Retain deletes what is older than it is kept, and adds the rows of
// yesterday's evidence and before up. It returns how many rows are deleted.
func (s *Store) Retain(ctx context.Context, keep Keep) (n int64, err error) {
	info, err := s.Info(ctx)
	if err != nil || info.Last == 0 {
		return 0, err
	}
	// A line with a stamp of the future must not age what is of today.
	last := time.UnixMicro(info.Last)
	if now := time.Now(); last.After(now) {
		last = now
	}
	before := func(keep time.Duration) time.Time {
		if keep == 0 {
			return time.Time{}
		}
		return last.Add(-keep)
	}
	if n, err = s.Prune(ctx, before(keep.Events), before(keep.Evidence)); err != nil {
		return n, err
	}
	return n, s.MergeEvidence(ctx, last.Add(-24*time.Hour).Unix())
}

// Prune deletes events from before one time and evidence from before another
// (a zero time keeps all), and gives the space back. It returns how many rows
// are gone.
func (s *Store) Prune(ctx context.Context, events, evidence time.Time) (n int64, err error) {
	run := func(q string, args ...any) {
		if err != nil {
			return
		}
		var r sql.Result
		if r, err = s.db.ExecContext(ctx, q, args...); err == nil {
			var k int64
			k, err = r.RowsAffected()
			n += k
		}
	}
	if !events.IsZero() {
		ids, err := s.Next(ctx)
		if err != nil {
			return 0, err
		}
		// The ids of messages that are gone are not given again.
		if err := s.SetMeta(ctx, "messages", strconv.FormatInt(ids.Message-1, 10)); err != nil {
			return 0, err
		}
		run("DELETE FROM event WHERE ts < ?", events.Unix())
	}
	if !evidence.IsZero() {
		run("DELETE FROM evidence_hour WHERE hour < ?", evidence.Unix())
		run("DELETE FROM evidence_day WHERE day < ?", evidence.Unix())
		run("DELETE FROM reply_hour WHERE hour < ?", evidence.Unix())
		run("DELETE FROM signal WHERE day < ?", evidence.Unix())
	}
	if err != nil || n == 0 {
		return n, err
	}
	pruned, _ := s.Meta(ctx, "pruned")
	before, _ := strconv.ParseInt(pruned, 10, 64)
	if err := s.SetMeta(ctx, "pruned", strconv.FormatInt(before+n, 10)); err != nil {
		return n, err
	}
	_, err = s.db.ExecContext(ctx, "CHECKPOINT")
	return n, err
}
