package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/duckdb/duckdb-go/v2"

	"repute/delivery"
)

// Commit writes a batch in one transaction. After an error nothing of it is
// in the database, and the handle is a new one: a handle that has seen a
// failed COMMIT is not to be trusted.
func (s *Store) Commit(ctx context.Context, b *Batch) error {
	if err := s.commit(ctx, b); err != nil {
		if ctx.Err() == nil && s.path != Memory {
			err = errors.Join(err, s.db.Close(), s.connect(ctx))
		}
		return fmt.Errorf("%q: %w", s.path, err)
	}
	return nil
}

func (s *Store) commit(ctx context.Context, b *Batch) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return err
	}
	err = conn.Raw(func(c any) error { return appendAll(c.(driver.Conn), b) })
	if err == nil {
		_, err = conn.ExecContext(ctx, "DELETE FROM stream WHERE id = ?; ", b.Stream.ID)
	}
	if err == nil {
		_, err = conn.ExecContext(ctx, "DELETE FROM open_state")
	}
	if err == nil {
		err = conn.Raw(func(c any) error { return appendPosition(c.(driver.Conn), b) })
	}
	if err != nil {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, rollback)
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
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
		if err := a.AppendRow(values(r)...); err != nil {
			return errors.Join(fmt.Errorf("%s: %w", table, err), a.Close())
		}
	}
	if err := a.Close(); err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

func appendAll(c driver.Conn, b *Batch) error {
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
		appendChunks(c, "message", b.Messages, messageColumns()),
		appendChunks(c, "event", b.Events, eventColumns()),
		appendChunks(c, "evidence", b.Evidence, evidenceColumns()),
		appendRows(c, "quote", b.Quotes, func(r Quote) []driver.Value { return []driver.Value{r.Origin, r.IP, r.N} }),
	)
}

func appendPosition(c driver.Conn, b *Batch) error {
	return errors.Join(
		appendRows(c, "stream", []StreamState{b.Stream}, func(r StreamState) []driver.Value {
			return []driver.Value{
				r.ID, r.Path, r.Format, int32(r.HeadLen), r.HeadHash[:], r.Bytes, r.TailHash[:],
				r.Lines, r.Events, r.Attempts, r.Irrelevant, r.NotUnderstood, r.Oversize, r.Truncated, r.FirstAt, r.LastAt,
			}
		}),
		appendRows(c, "audit", []int{0}, func(int) []driver.Value {
			return []driver.Value{b.Stream.ID, b.From, b.Stream.Bytes, b.Lines, int64(len(b.Events))}
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

func domainColumns() []column[Named] {
	return []column[Named]{
		numbers(func(n *Named) int32 { return n.ID }),
		texts(func(n *Named) string { return n.Name }),
	}
}

func messageColumns() []column[Message] {
	return []column[Message]{
		numbers(func(m *Message) int64 { return m.ID }),
		texts(func(m *Message) string { return m.QueueID }),
		texts(func(m *Message) string { return m.Host }),
		numbers(func(m *Message) int64 { return m.At }),
		texts(func(m *Message) string { return m.SenderDomain }),
		numbers(func(m *Message) uint64 { return m.MessageID }),
		numbers(func(m *Message) uint64 { return m.Sender }),
		numbers(func(m *Message) bool { return m.Bounce }),
	}
}

func eventColumns() []column[Event] {
	return []column[Event]{
		numbers(func(e *Event) int64 { return e.At }),
		numbers(func(e *Event) int64 { return e.Message }),
		numbers(func(e *Event) int32 { return e.Origin }),
		numbers(func(e *Event) int32 { return e.Receiver }),
		numbers(func(e *Event) int32 { return e.Domain }),
		numbers(func(e *Event) uint64 { return e.Recipient }),
		numbers(func(e *Event) int32 { return e.Template }),
		numbers(func(e *Event) uint8 { return uint8(e.Kind) }),
		numbers(func(e *Event) uint8 { return uint8(e.Status) }),
		numbers(func(e *Event) uint8 { return uint8(e.Class) }),
		numbers(func(e *Event) bool { return e.Attempted }),
		numbers(func(e *Event) bool { return e.First }),
		numbers(func(e *Event) bool { return e.Bounce }),
		numbers(func(e *Event) int32 { return e.QueueMS }),
		numbers(func(e *Event) int32 { return e.ConnMS }),
		numbers(func(e *Event) int32 { return e.XmitMS }),
		numbers(func(e *Event) int32 { return e.Stream }),
		numbers(func(e *Event) int64 { return e.Line }),
	}
}

func evidenceColumns() []column[Evidence] {
	columns := []column[Evidence]{
		numbers(func(e *Evidence) int64 { return e.Hour }),
		numbers(func(e *Evidence) int32 { return e.Origin }),
		numbers(func(e *Evidence) int32 { return e.Receiver }),
		numbers(func(e *Evidence) int32 { return e.Domain }),
	}
	for i := range counts(&delivery.Counts{}) {
		columns = append(columns, numbers(func(e *Evidence) int32 { return int32(*counts(&e.Counts)[i]) }))
	}
	return columns
}

// counts lists the fields of Counts in the order of the table's columns.
func counts(c *delivery.Counts) [16]*uint32 {
	return [...]*uint32{
		&c.Accepted, &c.DeferPolicy, &c.DeferSlow, &c.DeferQuick, &c.RejectPolicy, &c.RejectGeneric, &c.Listed, &c.Content,
		&c.UnknownUser, &c.MailboxFull, &c.Connection, &c.Greylisted, &c.Throttled, &c.Config, &c.Other, &c.Attempts,
	}
}
