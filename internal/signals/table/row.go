package table

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Row is one line of a table. Its methods keep the first thing that is wrong,
// and Err tells it.
type Row struct {
	file   string
	line   int
	fields []string
	at     map[string]int
	fixed  map[string]string
	err    error
}

// Fix gives columns that the table lacks the same text in every row.
func (r *Row) Fix(columns map[string]string) { r.fixed = columns }

// Err returns the first error of the row's methods, with file and line.
func (r *Row) Err() error {
	if r.err == nil {
		return nil
	}
	return &Error{File: r.file, Line: r.line, Err: r.err}
}

// Fail makes the row one that can't be read.
func (r *Row) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// Has tells whether the table has the column and the row something in it.
func (r *Row) Has(column string) bool { return r.text(column) != "" }

func (r *Row) text(column string) string {
	if s, ok := r.fixed[column]; ok {
		return s
	}
	i, ok := r.at[column]
	if !ok || i >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// Text returns a field as it is, control characters taken out.
func (r *Row) Text(column string) string {
	return strings.Map(func(c rune) rune {
		if c < 0x20 || c == 0x7f {
			return -1
		}
		return c
	}, r.text(column))
}

// Needed is Text of a field that must not be empty.
func (r *Row) Needed(column string) string {
	s := r.Text(column)
	if s == "" {
		r.Fail("%s is empty", column)
	}
	return s
}

var errDate = errors.New("not a date")

// parseTime knows the forms that services write. A day before the month
// ("24/11/2025") is not among them: it can't be told from the American one.
func parseTime(s string) (time.Time, error) {
	for _, form := range [...]string{
		time.DateOnly, time.RFC3339Nano, time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST", "20060102", "2006/01/02", "2006/1/2",
		"1/2/2006", "1/2/2006 3:04 PM", "1/2/2006 3:04:05 PM", "1/2/2006 15:04", "Jan 2, 2006", "2 Jan 2006", "January 2, 2006",
	} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1990 && t.Year() < 2200 {
			return t, nil
		}
	}
	return time.Time{}, errDate
}

// Time reads a date or a moment; without a zone it is UTC. A number is Unix
// seconds, milliseconds or microseconds, by its size.
func (r *Row) Time(column string) time.Time {
	s := r.text(column)
	if t, err := parseTime(s); err == nil {
		return t
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		switch {
		case n > 1e8 && n < 1e11:
			return time.Unix(n, 0)
		case n >= 1e11 && n < 1e14:
			return time.UnixMilli(n)
		case n >= 1e14 && n < 1e17:
			return time.UnixMicro(n)
		}
	}
	r.Fail("%s %q is not a date like 2025-11-24", column, clip(s))
	return time.Time{}
}

// Addr reads an IP address.
func (r *Row) Addr(column string) netip.Addr {
	s := strings.Trim(r.text(column), "[]")
	ip, err := netip.ParseAddr(s)
	if err != nil || ip.Zone() != "" {
		r.Fail("%s %q is not an IP address", column, clip(s))
		return netip.Addr{}
	}
	return ip.Unmap()
}

// Count reads a whole number, "1,234" too; an empty field is 0.
func (r *Row) Count(column string) uint32 {
	s := r.text(column)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(s, ",", ""), 10, 31)
	if err != nil {
		r.Fail("%s %q is not a count", column, clip(s))
	}
	return uint32(n)
}

// Number reads a decimal number.
func (r *Row) Number(column string) float64 {
	s := r.text(column)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v || v > 1e15 || v < -1e15 {
		r.Fail("%s %q is not a number", column, clip(s))
		return 0
	}
	return v
}

// Share reads a share as a part of 1: "0.3%", "< 0.1%" (read as 0.1 %) and
// "0.003" are what services write.
func (r *Row) Share(column string) float64 {
	s := strings.TrimSpace(strings.TrimLeft(r.text(column), "<>≤≥~ "))
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		v /= 100
	}
	if err != nil || v != v || v < 0 || v > 1 {
		r.Fail("%s %q is not a share like 0.3%% or 0.003", column, clip(s))
		return 0
	}
	return v
}

// clip keeps a stranger's text short in an error.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
