package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"repute/internal/analysis"
	"repute/reports"
	"repute/reports/words"
)

func (a *app) reportCommand() *cobra.Command {
	q := &query{}
	var week, since, until, out, lang string
	var email, due, outbox, retry bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Write the report of a week, or of any period; mail it",
		Long: `report writes the HTML report of a period from the database. Without a period
it is the last seven days that have evidence.

--email mails it to each [[recipient]] of the configuration; --due mails the
report of the last whole week if it is time for it ([report] schedule) and it
was not sent: run it from a timer as often as you like. A report goes to a
recipient once: the row in the outbox comes first, then the sending. --outbox
shows what was sent, waits or failed; with --retry it puts back what failed.

--format json prints all that the report says as one JSON object, csv the pairs
(docs/report-format.md), for other programs; no page is written then.

Exit status: 0 ok, 1 a mail failed, 2 usage, 3 no evidence, 75 a mail waits.`,
		Example: "  repute report --week 2026-W47 --out week-47.html\n  repute report --due",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().StringVar(&q.db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&week, "week", "", "ISO `week`: 2026-W47")
	cmd.Flags().StringVar(&since, "since", "", "first `day`: 2026-11-16")
	cmd.Flags().StringVar(&until, "until", "", "last `day`")
	cmd.Flags().StringVar(&out, "out", "report.html", "write to this `file`")
	langFlag(cmd, &lang)
	cmd.Flags().BoolVar(&email, "email", false, "mail it to the configured recipients instead")
	cmd.Flags().BoolVar(&due, "due", false, "mail the last week's, if it is time and it was not sent")
	cmd.Flags().BoolVar(&outbox, "outbox", false, "show the mails and what became of them")
	cmd.Flags().BoolVar(&retry, "retry", false, "with --outbox: put back what failed")
	cmd.MarkFlagsMutuallyExclusive("email", "due", "outbox")
	format := formatFlag(cmd, "")
	cmd.Flags().Lookup("format").Usage = "`json|csv`: print everything, or the pairs, in place of the page; with --outbox table|json|csv"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *format != "" && !outbox && *format != "json" && *format != "csv" {
			return usagef("--format %s: json or csv", *format)
		}
		if retry && !outbox {
			return usagef("--retry belongs to --outbox")
		}
		ctx := cmd.Context()
		an, s, err := a.openBoth(ctx, q)
		if err != nil {
			return err
		}
		defer s.Close()
		w, err := language(lang, &q.cfg)
		if err != nil {
			return err
		}
		if outbox {
			if *format == "" {
				*format = "table"
			}
			return a.outboxOf(ctx, q.reading, s, *format, retry)
		}
		from, to, err := reportPeriod(week, since, until, reportZone(&q.cfg))
		if err != nil {
			return err
		}
		m := &mailing{app: a, reading: q.reading, analysis: an, outbox: s.Outbox(), lang: lang}
		if due {
			if !from.IsZero() || !to.IsZero() {
				return usagef("--due finds its own period; --email takes one")
			}
			from, to = m.due(time.Now())
		}
		if from.IsZero() {
			if _, last, err := an.Span(ctx); err == nil && !last.IsZero() {
				from = last.AddDate(0, 0, -6)
			}
		}
		if email || due {
			return m.run(ctx, from, to)
		}
		if *format != "" {
			f, err := findings(ctx, an, from, to)
			if err != nil {
				return err
			}
			return printReport(a.out, *format, f)
		}
		return a.report(ctx, an, from, to, w, out)
	}
	return cmd
}

// run queues a period's mails and sends what is due.
func (m *mailing) run(ctx context.Context, from, to time.Time) error {
	if err := m.ready(); err != nil {
		return err
	}
	if to.IsZero() {
		to = from.AddDate(0, 0, 7)
	}
	queued := m.queue(ctx, from, to, time.Now())
	return errors.Join(queued, m.send(ctx))
}

// findings are those of a period that has any.
func findings(ctx context.Context, an *analysis.Analysis, from, to time.Time) (*reports.Findings, error) {
	f, err := an.Findings(ctx, from, to)
	if err != nil {
		return nil, storeStatus(err)
	}
	if len(f.Pairs) == 0 {
		return nil, withStatus(exitNothing, errors.New("no evidence in that period; the report is not written"))
	}
	return f, nil
}

// report writes the page of a period and prints the gist.
func (a *app) report(ctx context.Context, an *analysis.Analysis, from, to time.Time, w *words.Words, out string) error {
	f, err := findings(ctx, an, from, to)
	if err != nil {
		return err
	}
	if err := a.writePage(out, f, w); err != nil {
		return err
	}
	if err := reports.Gist(a.out, f, w); err != nil {
		return err
	}
	fmt.Fprintln(a.out, reports.Printable(w.Say("gist.written", "file", out)))
	return nil
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
