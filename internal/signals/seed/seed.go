// Package seed reads tables of seed placements: how many of the messages sent
// to mailboxes of our own at a receiver lay in the inbox, how many in the
// spam folder, per day and sending IP.
package seed

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"repute/delivery"
)

// maxLine bounds one line in bytes, so that a file without line ends can't
// fill the memory.
const maxLine = 64 << 10

// columns are the names a table's first line must have, in any order. Other
// columns are passed over.
var columns = [...]string{"date", "ip", "receiver", "seeds", "inbox", "spam", "missing"}

// Read yields one delivery.Signal of kind SignalSeed for each line of the CSV
// table r that found at least one seed: N seeds found, K of them in the spam
// folder. A missing seed lies in no folder, so it is not in N.
//
// Dates are days in UTC as 2006-01-02; receiver is a Receiver.ID. A line that
// can't be read yields an error with name and line number, and the rest goes
// on. A first line without the columns, a line over 64 KiB or a read error
// ends the sequence with an error.
func Read(name string, r io.Reader) iter.Seq2[delivery.Signal, error] {
	return func(yield func(delivery.Signal, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		var at map[string]int
		n := 0
		for lines.Scan() {
			n++
			text := strings.TrimPrefix(lines.Text(), "\ufeff")
			if strings.TrimSpace(text) == "" {
				continue
			}
			fields, err := csv.NewReader(strings.NewReader(text)).Read()
			if err == nil && at == nil {
				if at, err = header(fields); err == nil {
					continue
				}
			}
			if at == nil {
				yield(delivery.Signal{}, fmt.Errorf("%s:%d: %w", name, n, err))
				return
			}
			var s delivery.Signal
			if err == nil {
				s, err = record(fields, at)
			}
			switch {
			case err != nil:
				if !yield(delivery.Signal{}, fmt.Errorf("%s:%d: %w", name, n, err)) {
					return
				}
			case s.N > 0:
				if !yield(s, nil) {
					return
				}
			}
		}
		if err := lines.Err(); err != nil {
			yield(delivery.Signal{}, fmt.Errorf("%s:%d: %w", name, n+1, err))
		} else if at == nil {
			yield(delivery.Signal{}, fmt.Errorf("%s: empty, no line with column names", name))
		}
	}
}

// header maps the names of columns to their places.
func header(fields []string) (map[string]int, error) {
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		at[strings.ToLower(strings.TrimSpace(f))] = i
	}
	for _, c := range columns {
		if _, ok := at[c]; !ok {
			return nil, fmt.Errorf("no column %q; needed are %s", c, strings.Join(columns[:], ","))
		}
	}
	return at, nil
}

// record reads one line after the header.
func record(fields []string, at map[string]int) (delivery.Signal, error) {
	for _, c := range columns {
		if at[c] >= len(fields) {
			return delivery.Signal{}, fmt.Errorf("the line ends before column %q", c)
		}
	}
	get := func(c string) string { return strings.TrimSpace(fields[at[c]]) }
	day, err := time.Parse(time.DateOnly, get("date"))
	if err != nil {
		return delivery.Signal{}, fmt.Errorf("date %q is not like 2025-11-24", get("date"))
	}
	ip, err := netip.ParseAddr(get("ip"))
	if err != nil || ip.Zone() != "" {
		return delivery.Signal{}, fmt.Errorf("ip %q is not an address", get("ip"))
	}
	if get("receiver") == "" {
		return delivery.Signal{}, errors.New("receiver is empty")
	}
	var counts [4]uint64
	for i, c := range columns[3:] {
		if counts[i], err = strconv.ParseUint(get(c), 10, 31); err != nil {
			return delivery.Signal{}, fmt.Errorf("%s %q is not a count", c, get(c))
		}
	}
	seeds, inbox, spam, missing := counts[0], counts[1], counts[2], counts[3]
	if inbox+spam+missing != seeds {
		return delivery.Signal{}, fmt.Errorf("inbox %d + spam %d + missing %d is not seeds %d", inbox, spam, missing, seeds)
	}
	return delivery.Signal{
		Day: day.Unix(), IP: ip.Unmap().String(), Receiver: get("receiver"), Kind: delivery.SignalSeed,
		N: uint32(inbox + spam), K: uint32(spam),
		Verified: true, // the operator's own file about the operator's own mailboxes
	}, nil
}
