package store

import (
	"context"
	"database/sql"
	"errors"
)

// State is a model's state at the end of a day.
type State struct {
	Next   int64  // Unix seconds of the start of the day after
	Layout string // of the model's state and configuration
	Basis  string // of all that it was made from
	Data   []byte
}

// States lists the states without their data, the latest first.
func (s *Store) States(ctx context.Context) ([]State, error) {
	return collect(ctx, s, "SELECT next, layout, basis FROM model_state ORDER BY next DESC, layout, basis",
		func(r *sql.Rows) (v State, err error) { return v, r.Scan(&v.Next, &v.Layout, &v.Basis) })
}

// StateData reads the data of a state; nil if it is gone.
func (s *Store) StateData(ctx context.Context, v *State) (data []byte, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT state FROM model_state WHERE next = ? AND layout = ? AND basis = ?", v.Next, v.Layout, v.Basis).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return data, err
}

// PutStates adds states and drops others, in one transaction.
func (s *Store) PutStates(ctx context.Context, add, drop []State) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of no effect after Commit
	for i := range drop {
		if _, err := tx.ExecContext(ctx, "DELETE FROM model_state WHERE next = ? AND layout = ? AND basis = ?", drop[i].Next, drop[i].Layout, drop[i].Basis); err != nil {
			return err
		}
	}
	for i := range add {
		if _, err := tx.ExecContext(ctx, "INSERT INTO model_state VALUES (?, ?, ?, ?)", add[i].Next, add[i].Layout, add[i].Basis, add[i].Data); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// HourMark is two numbers about all counts of an hour; they differ where a
// count does.
type HourMark struct{ Hour, Mark, N int64 }

// HourMarks lists the hours with evidence, in order.
func (s *Store) HourMarks(ctx context.Context) ([]HourMark, error) {
	return collect(ctx, s, query("hour_marks"), func(r *sql.Rows) (m HourMark, err error) {
		return m, r.Scan(&m.Hour, &m.Mark, &m.N)
	})
}

// Past stands for all evidence before an hour: it differs where a count does.
type Past struct {
	N, Mark          int64
	Origin, Receiver int32 // the highest ids
}

// Past looks at all evidence before an hour.
func (s *Store) Past(ctx context.Context, hour int64) (p Past, err error) {
	err = s.db.QueryRowContext(ctx, query("past"), hour).Scan(&p.N, &p.Mark, &p.Origin, &p.Receiver)
	return p, err
}

// FirstHours tells for each origin and each receiver, by id, the first hour
// with evidence, Unix seconds.
func (s *Store) FirstHours(ctx context.Context) (origins, receivers map[int32]int64, err error) {
	by := func(column string) (map[int32]int64, error) {
		out := map[int32]int64{}
		for r, err := range rows(ctx, s, "SELECT "+column+", min(hour) FROM evidence_hour GROUP BY 1", func(r *sql.Rows) (v [2]int64, err error) {
			return v, r.Scan(&v[0], &v[1])
		}) {
			if err != nil {
				return nil, err
			}
			out[int32(r[0])] = r[1]
		}
		return out, nil
	}
	if origins, err = by("origin"); err != nil {
		return nil, nil, err
	}
	receivers, err = by("receiver")
	return origins, receivers, err
}
