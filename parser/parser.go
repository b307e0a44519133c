// Package parser turns the lines of mail logs into delivery events.
//
// A Parser reads one stream line by line. It has three exits, kept apart:
// events; ErrIrrelevant (the line is not about mail delivery: another
// program, a daemon's start); and *SyntaxError (the line should be understood
// and is not: it is counted, sampled and shown to the user).
package parser

import (
	"errors"
	"time"

	"repute/delivery"
)

// Parser reads the lines of one stream in order.
type Parser interface {
	// Append adds the line's events to dst and returns the result. The line
	// comes without its line end. Events borrow line and the parser's own
	// memory until the next call. No events and no error means that the line
	// was understood and states nothing yet (a part of a longer line).
	Append(dst []delivery.Event, line []byte) ([]delivery.Event, error)
}

// ErrIrrelevant is returned for a line that is none of ours.
var ErrIrrelevant = errors.New("not a mail delivery line")

// SyntaxError is returned for a line that is ours and not understood.
// Parsers reuse it: copy what outlives the next Append.
type SyntaxError struct {
	Kind string // short and from a fixed list: "postfix: delivery line", "envelope: stamp"
	Off  int    // byte offset in the line where reading stopped
	Msg  string
}

func (e *SyntaxError) Error() string { return e.Kind + ": " + e.Msg }

// Options are what a line omits and only the caller can know. The zero value
// works: UTC, and years counted from Reference or from 1970.
type Options struct {
	Zone *time.Location // of stamps that name none; nil is UTC
	// Reference is the time of the newest line or shortly after it (a file's
	// modification time): a stamp without a year gets the year that puts it at
	// or before Reference, and later ones follow by monotony.
	Reference time.Time
	Year      int // of the first line, where the user has said it; 0 if not
	// After is the last line of the file before this one in a rotated set: the
	// year goes on from there. Zero if there is none.
	After time.Time
	Host  string // for lines that name no host (Exim's own log)
	// Head is the start of the stream, where reading goes on in its middle: of
	// a format whose first line names the columns.
	Head []byte
	// Key makes ids that are derived from addresses unreadable; see
	// powermta.New. Empty works.
	Key []byte
}

// Format is one dialect of log that can be read.
type Format struct {
	Name string // "syslog", "exim", "kumomta"
	New  func(Options) Parser
	// Marks are words that only logs of this format hold: a quiet day's log is
	// told by them where nothing was delivered.
	Marks []string
}
