package ingest

import (
	"cmp"
	"slices"
	"time"

	"repute/internal/source"
	"repute/parser/envelope"
)

// linesForStamp is how many lines at the start of a file are looked at.
const linesForStamp = 50

// OldestFirst orders logs by the stamp of the first line, so that a copy that
// begins in the midst of another log is read after it: of a message that is in
// both the first outcome is then the first. Names tell the order within a
// rotated set, and source.Expand has seen to that; its oldest file stands for
// the set here. Sets whose first lines begin with no stamp (standard input,
// JSON) come first, as they came. Of each set one file is opened that Run opens
// again: a fraction of a millisecond, and nothing where there is only one set.
func OldestFirst(files []string, o Options) []string {
	type set struct {
		first int64
		files []string
	}
	var sets []*set
	byName := map[string]*set{}
	for _, f := range files {
		name := source.RotationOf(f).Set
		if byName[name] == nil {
			byName[name] = &set{}
			sets = append(sets, byName[name])
		}
		byName[name].files = append(byName[name].files, f)
	}
	if len(sets) < 2 {
		return files
	}
	for _, s := range sets {
		s.first = firstStamp(s.files[0], &o)
	}
	slices.SortStableFunc(sets, func(a, b *set) int { return cmp.Compare(a.first, b.first) })
	ordered := make([]string, 0, len(files))
	for _, s := range sets {
		ordered = append(ordered, s.files...)
	}
	return ordered
}

// firstStamp is the time of a file's first line that begins with one; 0 if
// there is none, or it can't be read: that is told when it is to be.
func firstStamp(path string, o *Options) int64 {
	if path == source.Stdin {
		return 0
	}
	s, err := source.Open(path, nil)
	if err != nil {
		return 0
	}
	defer s.Close()
	known := (&loop{o: o}).parserOptions(path, s.Modified, nil)
	r := envelope.New(known.Zone, known.Reference, time.Time{}, known.Year)
	for _, line := range s.Peek(linesForStamp) {
		var e envelope.Envelope
		if r.Read(&e, line) && e.At != 0 {
			return e.At
		}
		if at, _, ok := r.Stamp(line); ok && at != 0 { // Exim's own: no program follows
			return at
		}
	}
	return 0
}
