package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"repute/delivery"
)

// Use says how often a receiver gave a reply, by the outcome it was booked as.
type Use struct {
	Template, Receiver int32
	Status             delivery.Status
	Class              delivery.Class
	Attempts, First    int64 // attempts; those that were first outcomes
}

// Uses lists the replies to attempts that were not accepted.
func (s *Store) Uses(ctx context.Context) ([]Use, error) {
	return collect(ctx, s, `SELECT template, receiver, status, class, count(*), count(*) FILTER (WHERE first)
		FROM event WHERE attempted AND template > 0 GROUP BY ALL ORDER BY ALL`,
		func(r *sql.Rows) (u Use, err error) {
			return u, r.Scan(&u.Template, &u.Receiver, &u.Status, &u.Class, &u.Attempts, &u.First)
		})
}

// Move books the attempts of one use as something else.
type Move struct {
	From      Use
	Template  int32 // that the events refer to from now on
	Class     delivery.Class
	WasListed bool // named a public list
	IsListed  bool
}

// FirstOutcome is the class that an open message's recipient was booked as.
type FirstOutcome struct {
	Message   int64
	Recipient uint64
	Class     delivery.Class
}

// Relabel puts verdicts of new rules in the place of the old ones: templates
// (those with a new id are added), the classes of the attempts, and the hourly
// evidence, as differences. open is called after that, before the transaction
// ends, with what the recipients of the given messages were booked as; it
// returns the correlation's new state.
func (s *Store) Relabel(ctx context.Context, templates []Template, moves []Move, messages []int64, open func([]FirstOutcome) []byte) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	err = relabel(ctx, conn, templates, moves, messages, open)
	if err != nil {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(fmt.Errorf("%q: %w", s.path, err), rollback)
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func relabel(ctx context.Context, conn *sql.Conn, templates []Template, moves []Move, messages []int64, open func([]FirstOutcome) []byte) error {
	exec := func(q string) error {
		_, err := conn.ExecContext(ctx, q)
		return err
	}
	fill := func(f func(c driver.Conn) error) error {
		return conn.Raw(func(c any) error { return f(c.(driver.Conn)) })
	}
	steps := []func() error{
		func() error { return exec(query("relabel_tables")) },
		func() error {
			return fill(func(c driver.Conn) error {
				return errors.Join(
					appendRows(c, "relabel_template", templates, func(t Template) []driver.Value { return []driver.Value{t.ID} }),
					appendRows(c, "relabel_move", moves, moveValues),
					appendRows(c, "relabel_message", messages, func(id int64) []driver.Value { return []driver.Value{id} }))
			})
		},
		func() error { return exec("DELETE FROM template WHERE id IN (SELECT id FROM relabel_template)") },
		func() error {
			return fill(func(c driver.Conn) error { return appendRows(c, "template", templates, templateValues) })
		},
		func() error { return moveEvidence(ctx, conn) },
		func() error { return exec(query("relabel_events")) },
		func() error { return exec(query("relabel_replies")) },
		func() error { return moveOpen(ctx, conn, open) },
		func() error { return exec(query("relabel_drop")) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func moveValues(m Move) []driver.Value {
	return []driver.Value{
		m.From.Template, m.From.Receiver, uint8(m.From.Status), uint8(m.From.Class), m.Template, uint8(m.Class), m.WasListed, m.IsListed,
	}
}

// moveEvidence adds to the evidence what the moves change of it.
func moveEvidence(ctx context.Context, conn *sql.Conn) error {
	r, err := conn.QueryContext(ctx, query("relabel_evidence"), uint8(delivery.ClassDeferSlow), uint8(delivery.Sent))
	if err != nil {
		return err
	}
	defer r.Close()
	var changes []Count
	for r.Next() {
		var e Evidence
		var was, is delivery.Class
		var wasListed, isListed, quick bool
		var n uint32
		if err := r.Scan(&e.Hour, &e.Origin, &e.Receiver, &e.Domain, &was, &is, &wasListed, &isListed, &quick, &n); err != nil {
			return err
		}
		e.Book(corrected(was, quick), -n, wasListed) // modulo 2³²: the rows are added up when read
		e.Book(corrected(is, quick), n, isListed)
		changes = append(changes, CountsOf(e)...)
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil {
		return err
	}
	return conn.Raw(func(c any) error {
		var roll roller
		return errors.Join(
			appendChunks(c.(driver.Conn), "evidence_hour", roll.up(changes, byHour), hourColumns()),
			appendChunks(c.(driver.Conn), "evidence_day", roll.up(changes, byDay), dayColumns()))
	})
}

// corrected is what the first retry made of a generic deferral.
func corrected(c delivery.Class, quick bool) delivery.Class {
	if quick && c.Generic() {
		return delivery.ClassDeferQuick
	}
	return c
}

func moveOpen(ctx context.Context, conn *sql.Conn, open func([]FirstOutcome) []byte) error {
	r, err := conn.QueryContext(ctx, "SELECT message, recipient, class FROM event WHERE first AND message IN (SELECT id FROM relabel_message) ORDER BY ALL")
	if err != nil {
		return err
	}
	defer r.Close()
	var first []FirstOutcome
	for r.Next() {
		var f FirstOutcome
		if err := r.Scan(&f.Message, &f.Recipient, &f.Class); err != nil {
			return err
		}
		first = append(first, f)
	}
	if err := errors.Join(r.Err(), r.Close()); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "DELETE FROM open_state"); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "INSERT INTO open_state VALUES (?)", open(first))
	return err
}
