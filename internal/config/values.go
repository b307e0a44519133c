package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Zone is a time zone of the IANA database. A nil Location means that none
// was named.
type Zone struct{ *time.Location }

// UnmarshalText reads "Asia/Tokyo", "UTC" or "Local".
func (z *Zone) UnmarshalText(text []byte) error {
	loc, err := time.LoadLocation(string(text))
	if err != nil || len(text) == 0 {
		return fmt.Errorf("%q is not a time zone; write one like Asia/Tokyo, UTC, or Local for the machine's", text)
	}
	z.Location = loc
	return nil
}

// Or returns the zone, or other where none was named.
func (z Zone) Or(other *time.Location) *time.Location {
	if z.Location == nil {
		return other
	}
	return z.Location
}

// Duration is a length of time written with its unit.
type Duration struct{ time.Duration }

// UnmarshalText reads "35d", "2w", "12h", "90s"; 0 needs no unit.
func (d *Duration) UnmarshalText(text []byte) error {
	s := string(text)
	long := map[byte]time.Duration{'d': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if n := len(s) - 1; n > 0 && long[s[n]] != 0 {
		if v, err := strconv.ParseUint(s[:n], 10, 16); err == nil {
			d.Duration = time.Duration(v) * long[s[n]]
			return nil
		}
	}
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a length of time; write it like \"35d\", \"2w\", \"12h\", \"30m\" or \"90s\"", s)
	}
	d.Duration = v
	return nil
}

// Bytes is an amount of memory.
type Bytes int64

// UnmarshalText reads "512MiB", "2GiB" or "2GB".
func (b *Bytes) UnmarshalText(text []byte) error {
	s := string(text)
	for _, u := range []struct {
		name string
		size int64
	}{
		{"KiB", 1 << 10},
		{"MiB", 1 << 20},
		{"GiB", 1 << 30},
		{"TiB", 1 << 40},
		{"kB", 1e3},
		{"MB", 1e6},
		{"GB", 1e9},
		{"TB", 1e12},
	} {
		number, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		if v, err := strconv.ParseUint(strings.TrimSpace(number), 10, 20); err == nil && v > 0 {
			*b = Bytes(int64(v) * u.size)
			return nil
		}
	}
	return fmt.Errorf("%q is not an amount of memory; write it like \"512MiB\" or \"2GiB\"", s)
}

// Schedule is when the weekly report is due, in the report's zone.
type Schedule struct {
	Day          time.Weekday
	Hour, Minute int
}

// UnmarshalText reads "Monday 07:00".
func (s *Schedule) UnmarshalText(text []byte) error {
	day, clock, _ := strings.Cut(string(text), " ")
	at, err := time.Parse("15:04", clock)
	for d := time.Sunday; d <= time.Saturday && err == nil; d++ {
		if name := d.String(); strings.EqualFold(day, name) || strings.EqualFold(day, name[:3]) {
			*s = Schedule{Day: d, Hour: at.Hour(), Minute: at.Minute()}
			return nil
		}
	}
	return fmt.Errorf("%q is not a weekly time; write it like \"Monday 07:00\"", text)
}

// String returns "Monday 07:00".
func (s Schedule) String() string { return fmt.Sprintf("%s %02d:%02d", s.Day, s.Hour, s.Minute) }

// Last returns the latest due time at or before now. The result is in now's
// zone: pass the time in the report's zone. Where the clock is put forward
// over the due time, it is due at the first moment after.
func (s Schedule) Last(now time.Time) time.Time {
	back := (int(now.Weekday()) - int(s.Day) + 7) % 7
	due := time.Date(now.Year(), now.Month(), now.Day()-back, s.Hour, s.Minute, 0, 0, now.Location())
	if due.After(now) {
		due = time.Date(now.Year(), now.Month(), now.Day()-back-7, s.Hour, s.Minute, 0, 0, now.Location())
	}
	return due
}

// Span is a span of hours of the day, which may cross midnight. The zero Span
// is empty.
type Span struct{ From, To time.Duration } // since midnight

// UnmarshalText reads "22:00-07:00".
func (s *Span) UnmarshalText(text []byte) error {
	from, to, _ := strings.Cut(string(text), "-")
	a, errA := time.Parse("15:04", from)
	b, errB := time.Parse("15:04", to)
	if errA != nil || errB != nil || from == to {
		return fmt.Errorf("%q is not a span of hours; write it like \"22:00-07:00\"", text)
	}
	midnight := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC)
	s.From, s.To = a.Sub(midnight), b.Sub(midnight)
	return nil
}

// Contains tells whether t's hour and minute lie in the span; its end is not part of it.
func (s Span) Contains(t time.Time) bool {
	at := time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
	if s.From <= s.To {
		return s.From <= at && at < s.To
	}
	return at >= s.From || at < s.To
}
