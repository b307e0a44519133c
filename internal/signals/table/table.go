// Package table reads the tables of outside services: CSV with a line of
// column names, whatever their order, spelling and delimiter.
//
// A line that can't be read yields an error with file and line, and the rest
// goes on. Nothing is read whole: a file of any size takes one line's memory.
package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// maxLine bounds one line in bytes, so that a file without line ends can't
// fill the memory.
const maxLine = 64 << 10

// Column is one column that a reader wants.
type Column struct {
	Name  string   // as Row's methods ask for it
	Also  []string // other names that services give it
	Needs bool     // a table without it can't be read
}

// Layout is what a reader knows of a table.
type Layout struct {
	Columns []Column
	other   *Layout
	// Bare is the order of columns of a table that comes without a line of
	// names; empty: such a table is refused.
	Bare []string
}

// Either is the layout of a table that is of one form or another: the second
// where the line of names has all that it needs, else the first.
func Either(first, second Layout) Layout {
	first.other = &second
	return first
}

// Error is a line that can't be read, or with Fatal a table.
type Error struct {
	File  string
	Line  int
	Fatal bool
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// Unwrap returns what is wrong with the line.
func (e *Error) Unwrap() error { return e.Err }

// Read yields the table's rows. Lines end at a line end, also within quotes:
// the tables of this trade have no fields of many lines, and an unclosed quote
// must not swallow the rest.
func Read(name string, r io.Reader, layout Layout) iter.Seq2[*Row, error] {
	return func(yield func(*Row, error) bool) {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, maxLine)
		t := reader{layout: layout}
		n := 0
		fail := func(fatal bool, err error) bool {
			return yield(nil, &Error{File: name, Line: n, Fatal: fatal, Err: err})
		}
		for lines.Scan() {
			n++
			text := strings.ToValidUTF8(strings.TrimPrefix(lines.Text(), "\ufeff"), string(utf8.RuneError))
			if strings.TrimSpace(strings.Trim(text, ",;\t")) == "" {
				continue
			}
			row, err := t.line(text)
			switch {
			case err != nil && t.at == nil:
				fail(true, err)
				return
			case err != nil:
				if !fail(false, err) {
					return
				}
			case row != nil:
				row.file, row.line = name, n
				if !yield(row, nil) {
					return
				}
			}
		}
		n++
		if err := lines.Err(); err != nil {
			if errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("a line is longer than %d bytes", maxLine)
			}
			fail(true, err)
		} else if t.at == nil && len(layout.Bare) == 0 {
			fail(true, errors.New("empty, no line with column names"))
		}
	}
}

type reader struct {
	layout Layout
	comma  rune
	at     map[string]int // place of each known column; nil before the first line
}

// line reads one line; the first gives no row if it names the columns.
func (t *reader) line(text string) (*Row, error) {
	if t.comma == 0 {
		t.comma = delimiter(text)
	}
	in := csv.NewReader(strings.NewReader(text))
	in.Comma, in.LazyQuotes, in.FieldsPerRecord = t.comma, true, -1
	fields, err := in.Read()
	if err != nil {
		return nil, err
	}
	if t.at == nil {
		named, err := t.head(fields)
		if named || err != nil {
			return nil, err
		}
	}
	return &Row{fields: fields, at: t.at}, nil
}

// delimiter is the one that a table's first line holds most of.
func delimiter(text string) rune {
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(text, string(c)); n > most {
			best, most = c, n
		}
	}
	return best
}

// head learns the columns' places from the first line. A line that names none
// of them is a row of a bare table, if the layout knows such.
func (t *reader) head(fields []string) (named bool, err error) {
	if o := t.layout.other; o != nil {
		if at := o.places(fields); o.missing(at) == "" {
			t.at = at
			return true, nil
		}
	}
	at := t.layout.places(fields)
	if len(at) < 2 && len(t.layout.Bare) > 0 {
		t.at = map[string]int{}
		for i, name := range t.layout.Bare {
			t.at[name] = i
		}
		return false, nil
	}
	if name := t.layout.missing(at); name != "" {
		return false, fmt.Errorf("no column %q; the first line must name %s", name, t.layout.needed())
	}
	t.at = at
	return true, nil
}

// places finds the known columns in a line of names.
func (l *Layout) places(fields []string) map[string]int {
	at := map[string]int{}
	for i, f := range fields {
		for _, c := range l.Columns {
			if _, taken := at[c.Name]; !taken && c.is(f) {
				at[c.Name] = i
				break
			}
		}
	}
	return at
}

// missing names the first column that the table needs and lacks.
func (l *Layout) missing(at map[string]int) string {
	for _, c := range l.Columns {
		if _, ok := at[c.Name]; !ok && c.Needs {
			return c.Name
		}
	}
	return ""
}

func (l *Layout) needed() string {
	var names []string
	for _, c := range l.Columns {
		if c.Needs {
			names = append(names, c.Name)
		}
	}
	out := strings.Join(names, ", ")
	if l.other != nil {
		out += "; or " + l.other.needed()
	}
	return out
}

func (c *Column) is(field string) bool {
	field = Plain(field)
	if field == Plain(c.Name) {
		return true
	}
	for _, name := range c.Also {
		if field == Plain(name) {
			return true
		}
	}
	return false
}

// Plain makes "Spam Rate (%)", "spam-rate" and "spamRate" one name.
func Plain(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r >= 0x80:
			return r
		}
		return -1
	}, name)
}
