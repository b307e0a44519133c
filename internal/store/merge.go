package store

import (
	"context"
	"database/sql"
	"fmt"
)

// MergeEvidence adds the rows of each cell up that many batches left: a
// follower writes a row for each cell and second. Hours from before on, Unix
// seconds, stay as they are, and so do tables of which it would drop less than
// a fifth.
func (s *Store) MergeEvidence(ctx context.Context, before int64) error {
	for _, t := range []struct{ table, when, key string }{
		{"evidence_hour", "hour", "hour, origin, receiver, what"},
		{"evidence_day", "day", "day, origin, receiver, domain, what"},
	} {
		var rows, cells int64
		q := fmt.Sprintf("SELECT count(*), count(DISTINCT (%s)) FROM %s WHERE %s < ?", t.key, t.table, t.when)
		if err := s.db.QueryRowContext(ctx, q, before).Scan(&rows, &cells); err != nil {
			return err
		}
		if rows <= cells+cells/4 {
			continue // not worth it
		}
		if err := s.merge(ctx, t.table, t.when, t.key, before); err != nil {
			return err
		}
		if _, err := s.db.ExecContext(ctx, "CHECKPOINT"); err != nil {
			return err
		}
	}
	return nil
}

// merge adds the sums and then deletes what was summed up.
func (s *Store) merge(ctx context.Context, table, when, key string, before int64) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of no effect after Commit
	var last int64
	if err := tx.QueryRowContext(ctx, "SELECT coalesce(max(rowid), 0) FROM "+table).Scan(&last); err != nil {
		return err
	}
	for _, q := range []string{
		fmt.Sprintf("INSERT INTO %s SELECT %s, sum(n)::INTEGER FROM %s WHERE %s < %d GROUP BY ALL HAVING sum(n) <> 0 ORDER BY ALL", table, key, table, when, before),
		fmt.Sprintf("DELETE FROM %s WHERE %s < %d AND rowid <= %d", table, when, before, last),
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Each calls do for each row of a query: for measurements.
func (s *Store) Each(ctx context.Context, q string, do func(*sql.Rows) error) error {
	for _, err := range rows(ctx, s, q, func(r *sql.Rows) (struct{}, error) { return struct{}{}, do(r) }) {
		if err != nil {
			return err
		}
	}
	return nil
}
