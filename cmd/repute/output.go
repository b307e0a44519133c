package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"repute/reports"
)

// column is one field of a row of type T: its name in JSON and CSV is the
// heading of the table too.
type column[T any] struct {
	name string
	// get returns a value that encoding/json can print: string, bool, an
	// integer or a float, or nil for "not known".
	get func(T) any
	// show is how the table prints it; nil prints get's value.
	show func(T) string
}

// formatFlag adds --format and returns where it is kept.
func formatFlag(cmd *cobra.Command, value string) *string {
	return cmd.Flags().String("format", value, "`table|json|csv`; json is one object a line")
}

// printRows prints rows in the format asked for.
func printRows[T any](w io.Writer, format string, columns []column[T], rows iter.Seq2[T, error]) error {
	switch format {
	case "json":
		return printJSON(w, columns, rows)
	case "csv":
		return printCSV(w, columns, rows)
	case "table":
		return printTable(w, columns, rows)
	}
	return usagef("--format %s: table, json or csv", format)
}

func printJSON[T any](w io.Writer, columns []column[T], rows iter.Seq2[T, error]) error {
	var line []byte
	for row, err := range rows {
		if err != nil {
			return err
		}
		line = append(line[:0], '{')
		for i, c := range columns {
			if i > 0 {
				line = append(line, ',')
			}
			v, err := json.Marshal(c.get(row))
			if err != nil {
				return fmt.Errorf("field %s: %w", c.name, err)
			}
			line = fmt.Appendf(line, "%q:", c.name)
			line = append(line, v...)
		}
		if _, err := w.Write(append(line, "}\n"...)); err != nil {
			return err
		}
	}
	return nil
}

func printCSV[T any](w io.Writer, columns []column[T], rows iter.Seq2[T, error]) error {
	out := csv.NewWriter(w)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = c.name
	}
	if err := out.Write(record); err != nil {
		return err
	}
	for row, err := range rows {
		if err != nil {
			return err
		}
		for i, c := range columns {
			record[i] = cell(c.get(row))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// cell prints a value for CSV. Text that a spreadsheet would take for a
// formula gets a quote before it; numbers stay numbers.
func cell(v any) string {
	if v == nil {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Sprint(v)
	}
	s = reports.Printable(s)
	if s != "" && strings.ContainsRune("=+-@\t\r＝＋－＠ ", firstRune(s)) {
		return "'" + s
	}
	return s
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func printTable[T any](w io.Writer, columns []column[T], rows iter.Seq2[T, error]) error {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	head := make(table.Row, len(columns))
	for i, c := range columns {
		head[i] = c.name
	}
	t.AppendHeader(head)
	for row, err := range rows {
		if err != nil {
			return err
		}
		cells := make(table.Row, len(columns))
		for i, c := range columns {
			cells[i] = c.cell(row)
		}
		t.AppendRow(cells)
	}
	if t.Length() == 0 {
		return nil
	}
	var b strings.Builder
	for line := range strings.Lines(t.Render()) {
		b.WriteString(strings.TrimRight(line, " \n"))
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (c *column[T]) cell(row T) any {
	if c.show != nil {
		return reports.Printable(c.show(row))
	}
	switch v := c.get(row).(type) {
	case nil:
		return ""
	case string:
		return reports.Printable(v)
	default:
		return v
	}
}
