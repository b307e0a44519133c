package source

import (
	"regexp"
	"time"
)

var offset = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)? ?([+-]\d\d):?(\d\d) `)

// linesForZone is how many lines at the start of a file are looked at.
const linesForZone = 50

// ZoneOf finds the zone that the files' own stamps name, where they agree on
// one: the machine that reads a log may be elsewhere than the one that wrote
// it. Stamps in UTC say nothing. ok is false where none or several are named.
func ZoneOf(files []string) (zone *time.Location, ok bool) {
	for _, path := range files {
		if path == Stdin || IsJournal(path) {
			continue
		}
		for _, name := range offsetsIn(path) {
			if zone != nil && zone.String() != name {
				return nil, false
			}
			t, err := time.Parse("-07:00", name)
			if err != nil {
				continue
			}
			_, seconds := t.Zone()
			zone = time.FixedZone(name, seconds)
		}
	}
	return zone, zone != nil
}

func offsetsIn(path string) (names []string) {
	s, err := Open(path, nil)
	if err != nil {
		return nil // told when it is read
	}
	defer s.Close()
	for _, line := range s.Peek(linesForZone) {
		if m := offset.FindSubmatch(line); m != nil {
			names = append(names, string(m[1])+":"+string(m[2]))
		}
	}
	return names
}
