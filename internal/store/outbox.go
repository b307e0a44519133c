package store

import (
	"context"
	"database/sql"
	"time"

	"repute/internal/mail"
)

// Outbox keeps letters in the database.
type Outbox struct{ store *Store }

// Outbox returns the database's outbox.
func (s *Store) Outbox() *Outbox { return &Outbox{s} }

var _ mail.Outbox = (*Outbox)(nil)

// Add puts a letter in; false where one with its ID is there already.
func (o *Outbox) Add(ctx context.Context, l mail.Letter) (bool, error) {
	added := false
	err := o.change(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM outbox WHERE id = ?", l.ID).Scan(&n); err != nil || n > 0 {
			return err
		}
		added = true
		return insertLetter(ctx, tx, &l)
	})
	return added && err == nil, err
}

// Update replaces the letter of the same ID.
func (o *Outbox) Update(ctx context.Context, l mail.Letter) error {
	return o.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM outbox WHERE id = ?", l.ID); err != nil {
			return err
		}
		return insertLetter(ctx, tx, &l)
	})
}

func insertLetter(ctx context.Context, tx *sql.Tx, l *mail.Letter) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		l.ID, l.Period, l.From, l.To, string(l.State), l.Tries, l.Unsure, l.Queued.UnixMicro(), l.Next.UnixMicro(), l.LastError, l.Body)
	return err
}

// change runs one transaction, durable when it returns.
func (o *Outbox) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := o.store.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// Letters returns all letters, the oldest first.
func (o *Outbox) Letters(ctx context.Context) ([]mail.Letter, error) {
	return collect(ctx, o.store, `SELECT id, period, sender, recipient, state, tries, unsure, queued, next, last_error, coalesce(body, ''::BLOB)
		FROM outbox ORDER BY queued, id`, func(r *sql.Rows) (l mail.Letter, err error) {
		var state string
		var queued, next int64
		err = r.Scan(&l.ID, &l.Period, &l.From, &l.To, &state, &l.Tries, &l.Unsure, &queued, &next, &l.LastError, &l.Body)
		l.State, l.Queued, l.Next = mail.State(state), time.UnixMicro(queued), time.UnixMicro(next)
		return l, err
	})
}
