package envelope

import "time"

// Clock turns stamps into Unix microseconds. A stamp of RFC 3164 has neither
// year nor zone; both come from the caller, and nothing here asks the
// machine's clock.
type Clock struct {
	zone *time.Location
	// year is that of the last stamp without one; last is its time.
	year int
	last int64
	// reference is at or after the stream's newest line; 0 if unknown.
	reference int64

	// The start of the last day and its date: most lines share it.
	dayStart int64
	dayKey   int
	offset   int64 // of zone at dayStart; valid for the day if uniform
	uniform  bool

	// The last day as text and its start in the zone: the next line's stamp
	// mostly begins with the same. Both start at 0 where the text is none.
	bsdDate  [7]byte // "Jan  5 "
	bsdStart int64
	isoDate  [11]byte // "2026-01-05T"
	isoStart int64    // in UTC
	isoLocal int64    // in the zone; 0 where its offset changes on that day
}

func newClock(zone *time.Location, reference, after time.Time, year int) Clock {
	c := Clock{zone: zone, year: year, dayKey: -1}
	if zone == nil {
		c.zone = time.UTC
	}
	if !reference.IsZero() {
		c.reference = reference.UnixMicro()
	}
	if !after.IsZero() {
		c.last, c.year = after.UnixMicro(), after.In(c.zone).Year()
	}
	return c
}

const (
	second = int64(1e6)
	day    = 86400 * second
	// jump is how far a year-less stamp may step back without meaning a new
	// year: writers are not sorted, but not half a year unsorted.
	jump = 180 * day
)

// stamp reads the time at the start of b and the blank behind it. ok is false
// where no known stamp stands there; at is 0 for one that is no date.
func (c *Clock) stamp(b []byte) (at int64, rest []byte, ok bool) {
	if len(b) < 16 {
		return 0, b, false
	}
	if isDigit(b[0]) && isDigit(b[3]) {
		if b[4] == '-' {
			return c.iso(b)
		}
		if b[4] == ' ' { // "2026 Jan  5 10:00:00"
			return c.bsd(b[5:], number(b[:4]))
		}
		return 0, b, false
	}
	return c.bsd(b, 0)
}

// bsd reads "Jan  5 10:00:00 " or "Jan 05 10:00:00 ", RFC 3164 section 4.1.2;
// some write "Jan 5 10:00:00 ".
func (c *Clock) bsd(b []byte, year int) (int64, []byte, bool) {
	if year == 0 && len(b) > 15 && b[15] == ' ' && b[9] == ':' && b[12] == ':' && c.bsdStart != 0 && string(b[:7]) == string(c.bsdDate[:]) {
		if tod, ok := timeOfDay(b[7:15]); ok && c.near(c.bsdStart+tod) {
			at := c.bsdStart + tod
			c.last = max(c.last, at)
			return at, b[16:], true
		}
	}
	if len(b) > 15 && b[3] == ' ' && isDigit(b[4]) && b[5] == ' ' && b[8] == ':' {
		return c.bsdDay(b[:3], int(b[4]-'0'), b[6:], year)
	}
	if len(b) < 16 || b[3] != ' ' || b[6] != ' ' || b[9] != ':' || b[12] != ':' {
		return 0, b, false
	}
	at, rest, ok := c.bsdText(b, year)
	if c.bsdStart = 0; ok && at != 0 && year == 0 {
		if tod, ok := timeOfDay(b[7:15]); ok && c.uniformAt(at) {
			copy(c.bsdDate[:], b)
			c.bsdStart = at - tod - at%second
		}
	}
	return at, rest, ok
}

// near tells that a stamp's year is the last one's.
func (c *Clock) near(at int64) bool { return at >= c.last-jump && at <= c.last+jump }

// uniformAt tells whether the zone has one offset for the whole date of at.
func (c *Clock) uniformAt(at int64) bool {
	t := time.UnixMicro(at).In(c.zone)
	_, ok := c.utcDay(t.Year(), int(t.Month()), t.Day())
	return ok && c.uniform
}

// bsdText reads a stamp with two columns for the day.
func (c *Clock) bsdText(b []byte, year int) (int64, []byte, bool) {
	if !isDigit(b[5]) {
		return 0, b, false
	}
	d := int(b[5] - '0')
	if isDigit(b[4]) {
		d += 10 * int(b[4]-'0')
	}
	return c.bsdDay(b[:3], d, b[7:], year)
}

// bsdDay reads the time of day at the start of b, the month's name and the
// day having been read.
func (c *Clock) bsdDay(name []byte, d int, b []byte, year int) (int64, []byte, bool) {
	month := monthNumber(name[0], name[1], name[2])
	if month == 0 || len(b) < 9 {
		return 0, b, false
	}
	end := 8
	if b[end] == '.' { // some write a fraction
		for end++; end < len(b) && isDigit(b[end]); end++ {
		}
	}
	if end >= len(b) || b[end] != ' ' {
		return 0, b, false
	}
	tod, good := timeOfDay(b[:8])
	if !good {
		return 0, b[end+1:], true
	}
	if year != 0 {
		return c.local(year, month, d, tod), b[end+1:], true
	}
	return c.yearless(month, d, tod), b[end+1:], true
}

// yearless finds the year: the one that puts the first stamp at or before the
// reference, and after that the one nearest to the stamp before.
func (c *Clock) yearless(month, d int, tod int64) int64 {
	if c.year == 0 {
		c.year = 2000 // nothing known: a leap year, and no stamp of it is 0
		if c.reference != 0 {
			c.year = time.UnixMicro(c.reference).In(c.zone).Year()
			// A day of grace: the writer's clock may be ahead of the file's.
			if c.local(c.year, month, d, tod) > c.reference+day {
				c.year--
			}
		}
		for i := 0; i < 8 && c.local(c.year, month, d, tod) == 0; i++ {
			c.year-- // 29 February
		}
	}
	at := c.local(c.year, month, d, tod)
	switch {
	case c.last == 0 || at == 0:
	case at < c.last-jump:
		if next := c.local(c.year+1, month, d, tod); next != 0 {
			c.year++
			at = next
		}
	case at > c.last+jump:
		if before := c.local(c.year-1, month, d, tod); before != 0 {
			at = before // a late line of the year before
		}
	}
	if at > c.last {
		c.last = at
	}
	return at
}

// iso reads RFC 3339 with any fraction, "Z", "+09:00" or "+0900", or no zone.
func (c *Clock) iso(b []byte) (int64, []byte, bool) {
	if len(b) < 20 || b[7] != '-' || (b[10] != 'T' && b[10] != ' ') || b[13] != ':' || b[16] != ':' {
		return 0, b, false
	}
	tod, good := timeOfDay(b[11:19])
	i := 19
	if i < len(b) && (b[i] == '.' || b[i] == ',') {
		unit := second / 10
		for i++; i < len(b) && isDigit(b[i]); i++ {
			tod += int64(b[i]-'0') * unit
			unit /= 10
		}
	}
	offset, i, hasZone := zoneOffset(b, i)
	if i >= len(b) || b[i] != ' ' {
		return 0, b, false
	}
	if !good {
		return 0, b[i+1:], true
	}
	if c.isoStart == 0 || string(b[:11]) != string(c.isoDate[:]) {
		start, good := c.utcDay(number(b[:4]), number(b[5:7]), number(b[8:10]))
		if !good {
			return 0, b[i+1:], true
		}
		copy(c.isoDate[:], b)
		if c.isoStart, c.isoLocal = start, 0; c.uniform {
			c.isoLocal = start - c.offset
		}
	}
	if hasZone {
		return c.isoStart + tod - offset, b[i+1:], true
	}
	at := c.isoLocal + tod
	if c.isoLocal == 0 {
		at = c.local(number(b[:4]), number(b[5:7]), number(b[8:10]), tod)
	}
	c.last = max(c.last, at)
	return at, b[i+1:], true
}

// local is the time of a date in the clock's zone; 0 if there is no such date.
func (c *Clock) local(y, m, d int, tod int64) int64 {
	start, ok := c.utcDay(y, m, d)
	if !ok {
		return 0
	}
	if !c.uniform {
		return c.onChangeDay(y, m, d, tod)
	}
	return start + tod - c.offset
}

// onChangeDay is the time of a date on which the zone's offset changes. Of the
// hour that comes twice the one nearer to the last line is taken.
func (c *Clock) onChangeDay(y, m, d int, tod int64) int64 {
	at := time.Date(y, time.Month(m), d, int(tod/second/3600), int(tod/second/60%60), int(tod/second%60), int(tod%second)*1000, c.zone)
	for _, other := range [...]time.Time{at.Add(-time.Hour), at.Add(time.Hour)} {
		if other.Hour() != at.Hour() {
			continue
		}
		first, again := min(at.UnixMicro(), other.UnixMicro()), max(at.UnixMicro(), other.UnixMicro())
		if c.last != 0 && again-c.last < c.last-first {
			return again
		}
		return first
	}
	return at.UnixMicro()
}

// utcDay returns the microsecond at which a date starts in UTC, and keeps
// whether the clock's zone has one offset for that whole date.
func (c *Clock) utcDay(y, m, d int) (int64, bool) {
	key := (y*16+m)*32 + d
	if key == c.dayKey {
		return c.dayStart, true
	}
	if m < 1 || m > 12 || d < 1 || y < 1970 || y > 2261 {
		return 0, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d {
		return 0, false
	}
	c.dayKey, c.dayStart = key, t.UnixMicro()
	_, first := time.Date(y, time.Month(m), d, 0, 0, 0, 0, c.zone).Zone()
	_, last := time.Date(y, time.Month(m), d, 23, 59, 59, 0, c.zone).Zone()
	c.uniform, c.offset = first == last, int64(first)*second
	return c.dayStart, true
}

// zoneOffset reads "Z", "+09:00", "+0900" at b[i:], after a blank too as Exim
// writes it.
func zoneOffset(b []byte, i int) (offset int64, next int, ok bool) {
	j := i
	if j+1 < len(b) && b[j] == ' ' && (b[j+1] == '+' || b[j+1] == '-') {
		j++
	}
	if j >= len(b) {
		return 0, i, false
	}
	if b[j] == 'Z' {
		return 0, j + 1, true
	}
	if (b[j] != '+' && b[j] != '-') || j+5 > len(b) || !isDigit(b[j+1]) || !isDigit(b[j+2]) {
		return 0, i, false
	}
	h, k := number(b[j+1:j+3]), j+3
	if b[k] == ':' {
		k++
	}
	if k+2 > len(b) || !isDigit(b[k]) || !isDigit(b[k+1]) {
		return 0, i, false
	}
	offset = int64(h*3600+number(b[k:k+2])*60) * second
	if b[j] == '-' {
		offset = -offset
	}
	return offset, k + 2, true
}

// timeOfDay reads "10:00:00". A leap second counts as the second before.
func timeOfDay(b []byte) (int64, bool) {
	_ = b[7]
	h1, h0, m1, m0, s1, s0 := b[0]-'0', b[1]-'0', b[3]-'0', b[4]-'0', b[6]-'0', b[7]-'0'
	if h1 > 2 || h0 > 9 || m1 > 5 || m0 > 9 || s1 > 6 || s0 > 9 {
		return 0, false
	}
	h, m, s := int64(h1)*10+int64(h0), int64(m1)*10+int64(m0), int64(s1)*10+int64(s0)
	if h > 23 || s > 60 {
		return 0, false
	}
	return (h*3600 + m*60 + min(s, 59)) * second, true
}

func monthNumber(a, b, c byte) int {
	const names = "JanFebMarAprMayJunJulAugSepOctNovDec"
	for i := 0; i < len(names); i += 3 {
		if names[i] == a && names[i+1] == b && names[i+2] == c {
			return i/3 + 1
		}
	}
	return 0
}

func number(b []byte) int {
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
