package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// Commit writes a batch in one transaction. After an error nothing of it is
// in the database, and the handle is a new one: a handle that has seen a
// failed COMMIT is not to be trusted.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	w := s.Begin(ctx)
	w.Add(b.Events)
	return w.Commit(b)
}

// Write is a transaction whose events are written while there are still more
// to come: they wait in the database's memory or file, which is tighter than
// ours.
type Write struct {
	s      *Store
	ctx    context.Context
	conn   *sql.Conn
	events *table[Event]
	n      int64 // of events
	err    error // the first; nothing is written after it
}

// Begin begins a batch. It ends by Commit or Rollback, which tell what went
// wrong.
func (s *Store) Begin(ctx context.Context) *Write {
	w := &Write{s: s, ctx: ctx}
	if w.conn, w.err = s.db.Conn(ctx); w.err != nil {
		return w
	}
	w.exec("BEGIN TRANSACTION")
	return w
}

func (w *Write) exec(query string, args ...any) {
	if w.err == nil {
		_, w.err = w.conn.ExecContext(w.ctx, query, args...)
	}
}

// raw calls do with the driver's connection.
func (w *Write) raw(do func(driver.Conn) error) {
	if w.err == nil {
		w.err = w.conn.Raw(func(c any) error { return do(c.(driver.Conn)) })
	}
}

// Add writes events. The memory is the caller's again.
func (w *Write) Add(events []Event) {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	w.raw(func(c driver.Conn) (err error) {
		if w.events == nil {
			if w.events, err = openTable(c, "event", eventColumns()); err != nil {
				return err
			}
		}
		w.n += int64(len(events))
		return errors.Join(w.events.add(events), w.events.flush())
	})
}

// Commit writes all of a batch but its events, and ends it. After an error
// nothing of the batch is in the database.
func (w *Write) Commit(b *Batch) error {
	w.closeTable()
	w.raw(func(c driver.Conn) error { return w.s.appendAll(c, b) })
	w.exec("DELETE FROM stream WHERE id = ?", b.Stream.ID)
	w.exec("DELETE FROM open_state")
	w.makeRoom(len(b.Open))
	w.raw(func(c driver.Conn) error { return appendPosition(c, b, w.n) })
	if w.err != nil {
		return w.Rollback()
	}
	// It is not interrupted: whether it went through would not be known.
	if _, w.err = w.conn.ExecContext(context.WithoutCancel(w.ctx), "COMMIT"); w.err != nil {
		return w.Rollback()
	}
	return w.conn.Close()
}

// Rollback takes all back. It tells what went wrong before.
func (w *Write) Rollback() error {
	w.closeTable()
	if w.conn != nil {
		_, err := w.conn.ExecContext(context.WithoutCancel(w.ctx), "ROLLBACK")
		err = errors.Join(err, w.conn.Close())
		if w.err == nil {
			return err
		}
	}
	s, err := w.s, w.err
	switch stopped := w.ctx.Err(); {
	case stopped != nil && !errors.Is(err, stopped): // an interrupt that came late is the next call's error
		err = errors.Join(stopped, err)
	case stopped == nil && s.path != Memory:
		err = errors.Join(err, s.db.Close(), s.connect(w.ctx))
	}
	return fmt.Errorf("%q: %w", s.path, err)
}

func (w *Write) closeTable() {
	if w.events != nil {
		w.events.close()
	}
	w.events = nil
}

// appendRows fills one table by DuckDB's appender.
func appendRows[T any](c driver.Conn, table string, rows []T, values func(T) []driver.Value) error {
	if len(rows) == 0 {
		return nil
	}
	a, err := duckdb.NewAppenderFromConn(c, "", table)
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	for _, r := range rows {
		v := values(r)
		for i := range v {
			if text, ok := v[i].(string); ok { // DuckDB takes other text for NULL
				v[i] = strings.ToValidUTF8(text, "?")
			}
		}
		if err := a.AppendRow(v...); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", table, err), a.Close())
		}
	}
	if err := a.Close(); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

func (s *Store) appendAll(c driver.Conn, b *Batch) error {
	named := func(n Named) []driver.Value { return []driver.Value{n.ID, n.Name} }
	return errors.Join(
		appendRows(c, "sample", b.Samples, func(r Sample) []driver.Value {
			return []driver.Value{r.Stream, r.Kind, r.Line, r.Text}
		}),
		appendRows(c, "origin", b.Origins, func(r Origin) []driver.Value {
			return []driver.Value{r.ID, r.Host, r.Tag, r.Transport, r.LocalIP, r.Domain}
		}),
		appendRows(c, "receiver", b.Receivers, named),
		appendChunks(c, "domain", b.Domains, domainColumns()),
		appendRows(c, "template", b.Templates, templateValues),
		appendChunks(c, "evidence_hour", s.roll.up(b.Counts, byHour), hourColumns()),
		appendChunks(c, "evidence_day", s.roll.up(b.Counts, byDay), dayColumns()),
		appendChunks(c, "reply_hour", b.Replies, replyColumns()),
		appendRows(c, "quote", b.Quotes, func(r Quote) []driver.Value { return []driver.Value{r.Origin, r.IP, r.N} }),
	)
}

func appendPosition(c driver.Conn, b *Batch, events int64) error {
	return errors.Join(
		appendRows(c, "stream", []StreamState{b.Stream}, func(r StreamState) []driver.Value {
			return []driver.Value{
				r.ID, r.Path, r.Format, int32(r.HeadLen), r.HeadHash[:], r.Bytes, r.TailHash[:],
				r.Lines, r.Events, r.Attempts, r.Irrelevant, r.NotUnderstood, r.Oversize, r.Truncated, r.FirstAt, r.LastAt, r.Cursor, r.Repeated,
			}
		}),
		appendRows(c, "audit", []int{0}, func(int) []driver.Value {
			return []driver.Value{b.Stream.ID, b.From, b.Stream.Bytes, b.Lines, events}
		}),
		appendRows(c, "open_state", [][]byte{b.Open}, func(r []byte) []driver.Value { return []driver.Value{r} }),
	)
}

func templateValues(t Template) []driver.Value {
	return []driver.Value{
		t.ID, t.Receiver, int16(t.Reply.Code), t.Reply.Enhanced.String(), t.Reply.Stage.String(), t.Reply.Failure.String(),
		string(t.Reply.Text), t.Sample, t.Verdict.Reason.String(), t.Verdict.Rule, t.Verdict.About.String(),
		t.Verdict.Permanent, t.Verdict.Confidence,
	}
}
