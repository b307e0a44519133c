package main

import (
	"encoding/json"
	"io"

	"repute/reports"
)

// printReport prints findings for other programs: everything as one JSON
// object, or the pairs as CSV. docs/report-format.md tells the fields.
func printReport(w io.Writer, format string, f *reports.Findings) error {
	if format == "csv" {
		return printRows(w, format, pairColumns(), seq(f.Pairs))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(reports.NewExport(f))
}

// pairColumns are those of `repute report --format csv`.
func pairColumns() []column[reports.Pair] {
	type p = reports.Pair
	return []column[p]{
		{"ip", func(v p) any { return v.IP }, nil},
		{"receiver", func(v p) any { return v.Receiver.ID }, nil},
		{"network", func(v p) any { return v.Network }, nil},
		{"score", func(v p) any { return round1(v.Score) }, nil},
		{"lo", func(v p) any { return round1(v.Lo) }, nil},
		{"hi", func(v p) any { return round1(v.Hi) }, nil},
		{"band", func(v p) any {
			if v.Unknown {
				return "unknown"
			}
			return v.Band
		}, nil},
		{"unknown", func(v p) any { return v.Unknown }, nil},
		{"borrowed", func(v p) any { return v.Borrowed }, nil},
		{"needs", func(v p) any { return v.Needs }, nil},
		{"week_before", func(v p) any {
			if v.Week == nil {
				return nil
			}
			return round1(v.Week.Before)
		}, nil},
		{"clear_change", func(v p) any { return v.Week != nil && v.Week.Clear }, nil},
		{"first_outcomes", func(v p) any { return v.Counts.First() }, nil},
		{"accepted", func(v p) any { return v.Counts.Accepted }, nil},
		{"deferred", func(v p) any { return v.Deferred() }, nil},
		{"refused", func(v p) any { return v.Refused() }, nil},
		{"reason", func(v p) any { return v.Reason.String() }, nil},
		{"cause", func(v p) any {
			if v.Fall == nil {
				return ""
			}
			return v.Fall.Cause
		}, nil},
		{"recovered", func(v p) any { return v.Recovered }, nil},
		{"evidence", func(v p) any { return v.Evidence }, nil},
	}
}
