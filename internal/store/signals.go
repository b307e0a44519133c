package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"repute/delivery"
)

// Signal is one record of an outside source, as it is kept.
type Signal struct {
	delivery.Signal
	Key          string // hex; a record with the same key takes the earlier one's place
	Origin       int32  // of the message that it speaks of; 0: not known
	SenderDomain string
	Source       string
	Detail       string
	Message      int64 // 0: about an address and a day, or not found
}

// PutSignals keeps records, in one transaction. What was there under the same
// key is replaced, so that what is imported twice counts once. It returns how
// many are new.
func (s *Store) PutSignals(ctx context.Context, list []Signal) (added int, err error) {
	if len(list) == 0 {
		return 0, nil
	}
	last := map[string]int{}
	for i := range list {
		if _, err := hex.DecodeString(list[i].Key); err != nil || list[i].Key == "" {
			return 0, fmt.Errorf("signal key %.40q is not hex", list[i].Key)
		}
		last[list[i].Key] = i
	}
	var once []Signal
	for i := range list {
		if last[list[i].Key] == i {
			once = append(once, list[i])
		}
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN TRANSACTION"); err != nil {
		return 0, err
	}
	gone, err := replaceSignals(ctx, conn, once)
	if err != nil {
		_, rollback := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return 0, errors.Join(err, rollback)
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return len(once) - gone, err
}

// keysAtOnce bounds the length of a statement.
const keysAtOnce = 5000

func replaceSignals(ctx context.Context, conn *sql.Conn, list []Signal) (gone int, err error) {
	for from := 0; from < len(list); from += keysAtOnce {
		var keys []string
		for _, r := range list[from:min(from+keysAtOnce, len(list))] {
			keys = append(keys, "'"+r.Key+"'") // hex
		}
		result, err := conn.ExecContext(ctx, "DELETE FROM signal WHERE key IN ("+strings.Join(keys, ",")+")")
		if err != nil {
			return gone, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return gone, err
		}
		gone += int(n)
	}
	return gone, conn.Raw(func(c any) error {
		return appendRows(c.(driver.Conn), "signal", list, func(r Signal) []driver.Value {
			return []driver.Value{
				r.Key, r.Kind.String(), r.Day, r.IP, r.Origin, r.Receiver, r.SenderDomain,
				int64(r.N), int64(r.K), r.Value, r.Verified, r.Source, r.Detail, r.Message,
			}
		})
	})
}

// Signals lists what outside sources said, by day, kind, address, receiver.
func (s *Store) Signals(ctx context.Context) ([]Signal, error) {
	return collect(ctx, s, `SELECT key, kind, day, ip, origin, receiver, sender_domain, n, k, value, verified, source, detail, message
		FROM signal ORDER BY day, kind, ip, receiver, key`,
		func(r *sql.Rows) (v Signal, err error) {
			var kind string
			err = r.Scan(&v.Key, &kind, &v.Day, &v.IP, &v.Origin, &v.Receiver, &v.SenderDomain, &v.N, &v.K, &v.Value, &v.Verified,
				&v.Source, &v.Detail, &v.Message)
			v.Kind = delivery.ParseSignalKind(kind)
			return v, err
		})
}

// Found is a delivery of a message that a signal may speak of.
type Found struct {
	Message           int64
	At                int64 // Unix microseconds
	Origin            int32
	Receiver, Domain  string
	MessageID, Sender uint64 // keyed hashes
	Recipient         uint64 // keyed hash
	QueueID           string
	Status            delivery.Status
}

// FindMessages finds the deliveries of messages that have one of the
// message-ids or senders (keyed hashes) or queue ids, in order of message and
// time. One call reads the tables once, whatever the number of ids.
func (s *Store) FindMessages(ctx context.Context, hashes []uint64, queueIDs []string) ([]Found, error) {
	var numbers, words, conditions []string
	for _, h := range hashes {
		if h != 0 { // stands for what the log did not show
			numbers = append(numbers, strconv.FormatUint(h, 10))
		}
	}
	for _, id := range queueIDs {
		if plainID(id) {
			words = append(words, "'"+id+"'")
		}
	}
	if len(numbers) > 0 {
		list := strings.Join(numbers, ",")
		conditions = append(conditions, "message_id IN ("+list+")", "sender IN ("+list+")")
	}
	if len(words) > 0 {
		conditions = append(conditions, "queue_id IN ("+strings.Join(words, ",")+")")
	}
	if len(conditions) == 0 {
		return nil, nil
	}
	where := strings.Join(conditions, " OR ")
	return collect(ctx, s, strings.Replace(query("find_messages"), "$where", where, 1), func(r *sql.Rows) (v Found, err error) {
		return v, r.Scan(&v.Message, &v.QueueID, &v.MessageID, &v.Sender, &v.At, &v.Origin, &v.Receiver, &v.Domain, &v.Recipient, &v.Status)
	})
}

// plainID tells whether a queue id is made of what queue ids are made of.
func plainID(id string) bool {
	return id != "" && len(id) <= 40 && strings.Trim(id, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-") == ""
}
