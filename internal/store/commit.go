package store

import (
	"context"
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
	err = conn.Raw(func(c any) error { return s.appendAll(c.(driver.Conn), b) })
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
	// It is not interrupted: whether it went through would not be known.
	_, err = conn.ExecContext(context.WithoutCancel(ctx), "COMMIT")
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
		appendChunks(c, "message", b.Messages, messageColumns()),
		appendChunks(c, "event", b.Events, eventColumns()),
		appendChunks(c, "evidence_hour", s.roll.up(b.Evidence, byHour), hourColumns()),
		appendChunks(c, "evidence_day", s.roll.up(b.Evidence, byDay), dayColumns()),
		appendChunks(c, "reply_hour", b.Replies, replyColumns()),
		appendRows(c, "quote", b.Quotes, func(r Quote) []driver.Value { return []driver.Value{r.Origin, r.IP, r.N} }),
	)
}

func appendPosition(c driver.Conn, b *Batch) error {
	return errors.Join(
		appendRows(c, "stream", []StreamState{b.Stream}, func(r StreamState) []driver.Value {
			return []driver.Value{
				r.ID, r.Path, r.Format, int32(r.HeadLen), r.HeadHash[:], r.Bytes, r.TailHash[:],
				r.Lines, r.Events, r.Attempts, r.Irrelevant, r.NotUnderstood, r.Oversize, r.Truncated, r.FirstAt, r.LastAt, r.Cursor, r.Repeated,
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
