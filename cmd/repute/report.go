package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"repute/reports"
)

func (a *app) reportCommand() *cobra.Command {
	q := &query{}
	var week, since, until, out string
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report of a week, or of any period",
		Long: `report writes the HTML report of a period from the database. Without a period
it is the last seven days that have evidence.`,
		Example: "  repute report --week 2026-W47 --out week-47.html",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&q.db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&week, "week", "", "ISO `week`: 2026-W47")
	cmd.Flags().StringVar(&since, "since", "", "first `day`: 2026-11-16")
	cmd.Flags().StringVar(&until, "until", "", "last `day`")
	cmd.Flags().StringVar(&out, "out", "report.html", "write to this `file`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		from, to, err := reportPeriod(week, since, until, zone(&q.cfg))
		if err != nil {
			return err
		}
		if from.IsZero() {
			if _, last, err := an.Span(cmd.Context()); err == nil && !last.IsZero() {
				from = last.AddDate(0, 0, -6)
			}
		}
		f, err := an.Findings(cmd.Context(), from, to)
		if err != nil {
			return storeStatus(err)
		}
		if len(f.Pairs) == 0 {
			return withStatus(exitNothing, errors.New("no evidence in that period; the report is not written"))
		}
		if err := a.writePage(out, f); err != nil {
			return err
		}
		if err := reports.Gist(a.out, f); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s written.\n", out)
		return nil
	}
	return cmd
}

var isoWeek = regexp.MustCompile(`^(\d{4})-W(\d{1,2})$`)

// reportPeriod reads the flags: [from, to), zero where not given.
func reportPeriod(week, since, until string, zone *time.Location) (from, to time.Time, err error) {
	if week != "" {
		if since != "" || until != "" {
			return from, to, usagef("give --week or --since and --until, not both")
		}
		m := isoWeek.FindStringSubmatch(week)
		if m == nil {
			return from, to, usagef("--week %s: write 2026-W47", week)
		}
		y, _ := strconv.Atoi(m[1])
		n, _ := strconv.Atoi(m[2])
		from = weekStart(y, n, zone)
		if gy, gn := from.ISOWeek(); gy != y || gn != n {
			return from, to, usagef("%d has no week %d", y, n)
		}
		return from, from.AddDate(0, 0, 7), nil
	}
	if from, err = parseDay(since, zone); err != nil {
		return from, to, err
	}
	if to, err = parseDay(until, zone); err != nil || to.IsZero() {
		return from, to, err
	}
	to = to.AddDate(0, 0, 1)
	if !from.IsZero() && !from.Before(to) {
		return from, to, usagef("--since %s is after --until %s", since, until)
	}
	return from, to, nil
}

// weekStart is the Monday of an ISO week (ISO 8601: week 1 holds 4 January).
func weekStart(year, week int, zone *time.Location) time.Time {
	jan4 := time.Date(year, 1, 4, 0, 0, 0, 0, zone)
	monday := jan4.AddDate(0, 0, -(int(jan4.Weekday())+6)%7)
	return monday.AddDate(0, 0, 7*(week-1))
}
