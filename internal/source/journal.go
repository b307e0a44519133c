package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// journalPrefix begins the path of a journal; a unit, or a glob of units, may
// follow it.
const journalPrefix = "journald:"

// IsJournal tells whether a path is systemd's journal.
func IsJournal(path string) bool { return strings.HasPrefix(path, journalPrefix) }

// Journal reads systemd's journal by a journalctl that follows it.
type Journal struct {
	*Pipe
	cancel context.CancelFunc
	cursor string // of the last line given out
	resume bool   // the next line should be that of the cursor
	gap    bool
}

// OpenJournal starts journalctl at the entry with the cursor, or at the
// oldest where there is none. bytes and lines are what was read before.
func OpenJournal(ctx context.Context, path, cursor string, bytes, lines int64) (*Journal, error) {
	args := []string{
		"--output=json", "--follow", "--no-tail", "--no-pager", "--quiet", "--all",
		"--output-fields=MESSAGE,_HOSTNAME,SYSLOG_IDENTIFIER",
	}
	if unit := strings.TrimPrefix(path, journalPrefix); unit != "" {
		args = append(args, "--unit="+unit)
	}
	if cursor != "" {
		// Not --after-cursor: where the entry is gone, that passes over
		// another one.
		args = append(args, "--cursor="+cursor)
	}
	ctx, cancel := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, "journalctl", args...)
	said := &lastWords{}
	c.Stderr = said
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		cancel()
		return nil, err
	}
	j := &Journal{cancel: cancel, cursor: cursor, resume: cursor != ""}
	j.Pipe = NewPipe(out, func() error {
		cancel()
		err := c.Wait()
		if err == nil {
			err = errors.New("it ended")
		}
		return fmt.Errorf("journalctl: %w%s", err, said.text())
	})
	j.offset, j.line = bytes, lines
	j.kept.line = lines
	return j, nil
}

// Next returns the next entry as a line of JSON.
func (j *Journal) Next() ([]byte, error) {
	for {
		line, err := j.Pipe.Next()
		if err != nil && !errors.Is(err, ErrTooLong) {
			return line, err
		}
		cursor := cursorOf(line)
		if j.resume {
			j.resume = false
			if cursor == j.cursor {
				j.line--
				continue
			}
			j.gap = true
		}
		if cursor != "" {
			j.cursor = cursor
		}
		return line, err
	}
}

// Gap tells, once, that the entry with the cursor is no longer in the journal.
func (j *Journal) Gap() bool {
	gap := j.gap
	j.gap = false
	return gap
}

// Cursor is that of the last entry given out.
func (j *Journal) Cursor() string { return j.cursor }

// Close ends journalctl.
func (j *Journal) Close() {
	j.Pipe.Close()
	j.cancel()
	<-j.in.finished
}

// cursorOf finds an entry's cursor. A quote within a message is escaped and
// can't pretend to be the field's.
func cursorOf(line []byte) string {
	_, rest, ok := bytes.Cut(line, []byte(`"__CURSOR"`))
	if !ok {
		return ""
	}
	_, rest, ok = bytes.Cut(rest, []byte(`"`))
	value, _, closed := bytes.Cut(rest, []byte(`"`))
	if !ok || !closed {
		return ""
	}
	return string(value)
}

// lastWords keeps the end of what a program says on stderr. It is read after
// the program has ended.
type lastWords struct{ b []byte }

func (w *lastWords) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	w.b = w.b[max(0, len(w.b)-500):]
	return len(p), nil
}

func (w *lastWords) text() string {
	s := strings.TrimSpace(string(w.b))
	if s == "" {
		return ""
	}
	return ": " + s
}
