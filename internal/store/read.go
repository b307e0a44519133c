package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/netip"
	"os"

	"repute/delivery"
	"repute/internal/sender"
)

// query returns an embedded query.
func query(name string) string {
	text, err := queries.ReadFile("queries/" + name + ".sql")
	if err != nil {
		panic(err) // the binary lacks a file it was built with
	}
	return string(text)
}

// rows yields what scan makes of each row of a query.
func rows[T any](ctx context.Context, s *Store, q string, scan func(*sql.Rows) (T, error), args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		r, err := s.db.QueryContext(ctx, q, args...)
		if err != nil {
			yield(zero, fmt.Errorf("%q: %w", s.path, err))
			return
		}
		defer r.Close()
		for r.Next() {
			v, err := scan(r)
			if !yield(v, err) || err != nil {
				return
			}
		}
		if err := r.Err(); err != nil {
			yield(zero, fmt.Errorf("%q: %w", s.path, err))
		}
	}
}

// collect reads all rows of a query.
func collect[T any](ctx context.Context, s *Store, q string, scan func(*sql.Rows) (T, error), args ...any) ([]T, error) {
	var all []T
	for v, err := range rows(ctx, s, q, scan, args...) {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

// Origins lists what the logs showed of the sending side.
func (s *Store) Origins(ctx context.Context) ([]Origin, error) {
	return collect(ctx, s, "SELECT id, host, tag, transport, local_ip, domain FROM origin ORDER BY id",
		func(r *sql.Rows) (o Origin, err error) {
			return o, r.Scan(&o.ID, &o.Host, &o.Tag, &o.Transport, &o.LocalIP, &o.Domain)
		})
}

func (s *Store) named(ctx context.Context, q string) ([]Named, error) {
	return collect(ctx, s, q, func(r *sql.Rows) (n Named, err error) { return n, r.Scan(&n.ID, &n.Name) })
}

// Receivers lists the receivers' ids.
func (s *Store) Receivers(ctx context.Context) ([]Named, error) {
	return s.named(ctx, "SELECT id, receiver FROM receiver ORDER BY id")
}

// Domains lists the recipient domains.
func (s *Store) Domains(ctx context.Context) ([]Named, error) {
	return s.named(ctx, "SELECT id, domain FROM domain ORDER BY id")
}

// Quotes lists which addresses receivers quoted for which origin.
func (s *Store) Quotes(ctx context.Context) ([]Quote, error) {
	return collect(ctx, s, "SELECT origin, ip, sum(n)::BIGINT FROM quote GROUP BY ALL ORDER BY origin, ip",
		func(r *sql.Rows) (q Quote, err error) { return q, r.Scan(&q.Origin, &q.IP, &q.N) })
}

// Templates lists the replies seen so far.
func (s *Store) Templates(ctx context.Context) ([]Template, error) {
	return collect(ctx, s, `SELECT id, receiver, code, enhanced, stage, failure, coalesce(text, ''), coalesce(sample, ''), reason, rule, about, permanent, confidence
		FROM template ORDER BY id`, scanTemplate)
}

func scanTemplate(r *sql.Rows) (t Template, err error) {
	var enhanced, stage, failure, text, reason, about string
	err = r.Scan(&t.ID, &t.Receiver, &t.Reply.Code, &enhanced, &stage, &failure, &text, &t.Sample,
		&reason, &t.Verdict.Rule, &about, &t.Verdict.Permanent, &t.Verdict.Confidence)
	t.Reply.Text = []byte(text)
	t.Reply.Enhanced, _ = delivery.ParseEnhanced([]byte(enhanced))
	t.Reply.Stage = delivery.ParseStage(stage)
	t.Reply.Failure = delivery.ParseFailure(failure)
	t.Verdict.Reason, _ = delivery.ParseReason(reason)
	t.Verdict.About = delivery.ParseAbout(about)
	return t, err
}

// Streams lists the streams that have been read.
func (s *Store) Streams(ctx context.Context) ([]StreamState, error) {
	return collect(ctx, s, `SELECT id, path, format, head_len, head_hash, bytes, tail_hash, lines, events, attempts, irrelevant,
		not_understood, oversize, truncated, first_at, last_at, cursor, repeated FROM stream ORDER BY id`,
		func(r *sql.Rows) (st StreamState, err error) {
			var head, tail []byte
			err = r.Scan(&st.ID, &st.Path, &st.Format, &st.HeadLen, &head, &st.Bytes, &tail, &st.Lines, &st.Events, &st.Attempts,
				&st.Irrelevant, &st.NotUnderstood, &st.Oversize, &st.Truncated, &st.FirstAt, &st.LastAt, &st.Cursor, &st.Repeated)
			copy(st.HeadHash[:], head)
			copy(st.TailHash[:], tail)
			return st, err
		})
}

// Samples lists lines that were not understood.
func (s *Store) Samples(ctx context.Context) ([]Sample, error) {
	return collect(ctx, s, "SELECT stream, kind, line, text FROM sample ORDER BY stream, line",
		func(r *sql.Rows) (v Sample, err error) { return v, r.Scan(&v.Stream, &v.Kind, &v.Line, &v.Text) })
}

// OpenState returns the correlation's state; nil if there is none yet.
func (s *Store) OpenState(ctx context.Context) ([]byte, error) {
	var b []byte
	err := s.db.QueryRowContext(ctx, "SELECT state FROM open_state").Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return b, err
}

// Info is what `repute db info` shows.
type Info struct {
	Lines, Events, Attempts, Irrelevant, NotUnderstood, Messages, Bytes int64

	First, Last int64 // Unix microseconds; 0 if nothing was read
}

// Info sums up what was read.
func (s *Store) Info(ctx context.Context) (i Info, err error) {
	err = s.db.QueryRowContext(ctx, query("info")).Scan(&i.Lines, &i.Events, &i.Attempts, &i.Irrelevant,
		&i.NotUnderstood, &i.Messages, &i.Bytes, &i.First, &i.Last)
	return i, err
}

// Reply is how often one reply was given.
type Reply struct {
	Origin, Receiver, Template       int32
	Code                             uint16
	Enhanced, Stage, Failure, Sample string
	Reason, Rule                     string
	Class                            delivery.Class
	First, Attempts                  int64 // first outcomes; all attempts
	From, To                         int64 // Unix microseconds
}

// Replies lists the replies other than acceptances in [from, to) (Unix
// microseconds), the most frequent first.
func (s *Store) Replies(ctx context.Context, from, to int64) ([]Reply, error) {
	return collect(ctx, s, query("replies"), func(r *sql.Rows) (v Reply, err error) {
		return v, r.Scan(&v.Origin, &v.Receiver, &v.Template, &v.Code, &v.Enhanced, &v.Stage, &v.Failure, &v.Sample,
			&v.Reason, &v.Rule, &v.Class, &v.First, &v.Attempts, &v.From, &v.To)
	}, from/1e6, to/1e6)
}

// NextIDs are the first free ids of the dictionaries; events refer to them.
type NextIDs struct {
	Stream  int32
	Message int64
}

// Next returns the first free ids.
func (s *Store) Next(ctx context.Context) (n NextIDs, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(id), 0) + 1 FROM stream)::INTEGER,
		(SELECT greatest(coalesce(max(message), 0), (SELECT coalesce(max(value::BIGINT), 0) FROM meta WHERE key = 'messages')) + 1 FROM event)`).Scan(&n.Stream, &n.Message)
	return n, err
}

// Hours returns the first and the last hour with evidence before a time, Unix
// seconds; 0 if there is none.
func (s *Store) Hours(ctx context.Context, before int64) (first, last int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(min(hour), 0), coalesce(max(hour), 0) FROM evidence_hour WHERE hour < ?", before).Scan(&first, &last)
	return first, last, err
}

// AttemptsSince counts attempts from an hour on, Unix seconds.
func (s *Store) AttemptsSince(ctx context.Context, hour int64) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(sum(n), 0)::BIGINT FROM evidence_hour WHERE what <> 6 AND hour >= ?", hour).Scan(&n)
	return n, err
}

// SenderQuotes lists the quoted addresses with their origins resolved.
func (s *Store) SenderQuotes(ctx context.Context, origins []Origin) ([]sender.Quote, error) {
	quotes, err := s.Quotes(ctx)
	var out []sender.Quote
	for _, q := range quotes {
		if ip, err := netip.ParseAddr(q.IP); err == nil && int(q.Origin) <= len(origins) {
			out = append(out, sender.Quote{Origin: origins[q.Origin-1].Origin, IP: ip, Count: q.N})
		}
	}
	return out, err
}

// AttemptsByOrigin counts attempts, retries too, by origin.
func (s *Store) AttemptsByOrigin(ctx context.Context) (map[int32]int64, error) {
	n := map[int32]int64{}
	type row struct {
		origin int32
		n      int64
	}
	for r, err := range rows(ctx, s, "SELECT origin, sum(n)::BIGINT FROM evidence_hour WHERE what <> 6 GROUP BY origin",
		func(r *sql.Rows) (v row, err error) { return v, r.Scan(&v.origin, &v.n) }) {
		if err != nil {
			return nil, err
		}
		n[r.origin] = r.n
	}
	return n, nil
}

// Size is the size of the database's files in bytes; 0 for one in memory.
func (s *Store) Size(context.Context) (int64, error) {
	if s.path == Memory {
		return 0, nil
	}
	total := int64(0)
	for _, name := range []string{s.path, s.path + ".wal"} {
		info, err := os.Stat(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		total += info.Size()
	}
	return total, nil
}
