package parser

import (
	"bytes"
	"errors"
	"fmt"

	"repute/delivery"
)

// ErrNotRecognised is wrapped by Detect's error.
var ErrNotRecognised = errors.New("no mail log format recognised")

// Detect picks the format that finds most events in a stream's first lines,
// else one whose marks stand there. Where there are none, the error says what
// was seen and what was expected.
func Detect(formats []Format, head [][]byte) (Format, error) {
	best, bestEvents := Format{}, 0
	var names string
	for i, f := range formats {
		if i > 0 {
			names += ", "
		}
		names += f.Name
		if n := countEvents(f.New(Options{}), head); n > bestEvents {
			best, bestEvents = f, n
		}
	}
	if bestEvents > 0 {
		return best, nil
	}
	for _, f := range formats {
		for _, mark := range f.Marks {
			if anyContains(head, mark) {
				return f, nil
			}
		}
	}
	if len(head) == 0 {
		return Format{}, fmt.Errorf("%w: it is empty", ErrNotRecognised)
	}
	return Format{}, fmt.Errorf("%w: none of the first %d lines is one of %s; the first is %.100q",
		ErrNotRecognised, len(head), names, head[0])
}

func anyContains(lines [][]byte, word string) bool {
	for _, line := range lines {
		if bytes.Contains(line, []byte(word)) {
			return true
		}
	}
	return false
}

func countEvents(p Parser, head [][]byte) int {
	var events []delivery.Event
	n := 0
	for _, line := range head {
		var err error
		if events, err = p.Append(events[:0], line); err == nil {
			n += len(events)
		}
	}
	return n
}
