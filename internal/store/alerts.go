package store

import (
	"context"
	"database/sql"
	"time"
)

// Alert is an alert on one of its ways out: mail, webhook or command.
type Alert struct {
	ID       string // one for each rule, thing, way and time
	Rule     string // which [[alert]] entry
	Way      string
	Thing    string // what it is about, to tell a second alert about the same
	State    string // queued, sent or failed
	Tries    int
	Doubtful bool
	Noticed  time.Time // in the logs' time
	Created  time.Time
	Next     time.Time // not before
	Error    string
	Body     string // JSON
}

// Alerts returns all alerts, the oldest first.
func (s *Store) Alerts(ctx context.Context) ([]Alert, error) {
	return collect(ctx, s, `SELECT id, rule, way, thing, state, tries, doubtful, noticed, created, next, last_error, body
		FROM alert ORDER BY created, noticed, id`, func(r *sql.Rows) (a Alert, err error) {
		var noticed, created, next int64
		err = r.Scan(&a.ID, &a.Rule, &a.Way, &a.Thing, &a.State, &a.Tries, &a.Doubtful, &noticed, &created, &next, &a.Error, &a.Body)
		a.Noticed, a.Created, a.Next = time.UnixMicro(noticed), time.UnixMicro(created), time.UnixMicro(next)
		return a, err
	})
}

// PutAlerts adds alerts, or replaces those of the same ID, in one transaction.
func (s *Store) PutAlerts(ctx context.Context, list ...Alert) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for i := range list {
		a := &list[i]
		if _, err := tx.ExecContext(ctx, "DELETE FROM alert WHERE id = ?", a.ID); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			a.ID, a.Rule, a.Way, a.Thing, a.State, a.Tries, a.Doubtful, a.Noticed.UnixMicro(), a.Created.UnixMicro(), a.Next.UnixMicro(),
			a.Error, a.Body); err != nil {
			return err
		}
	}
	return tx.Commit()
}
