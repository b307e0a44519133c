package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"repute/internal/analysis"
)

func (a *app) planCommand() *cobra.Command {
	q := &query{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Which IP to use at each receiver, and how much may be sent tomorrow",
		Long: `plan says for each receiver which sending IP to use first (*) and how many
messages each may send tomorrow, and in an hour: a fifth more than was accepted
where all is well, 0.7 of it where the receiver slows down, a few for a test
where it refuses, ten a day where nothing is known. Run it each morning: it is
the signal to speed up again as well as to slow down.

Columns: best * is the IP to use first; accepted_best_day, the most that was
accepted on a day of the last seven; tomorrow, messages in the whole day; hourly,
at most in one hour, so that they go out over eight hours and more.`,
		Example: "  repute plan --receiver docomo\n  repute plan --format json",
		Args:    cobra.NoArgs,
	}
	q.flags(cmd)
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		rows, err := an.Plan(cmd.Context())
		if err != nil {
			return storeStatus(err)
		}
		rows = slices.DeleteFunc(rows, func(p analysis.Plan) bool { return !q.wants(p.IP, p.Receiver) })
		if len(rows) == 0 {
			return errNoEvidence
		}
		return printRows(a.out, *format, planColumns(), seq(rows))
	}
	return cmd
}

func planColumns() []column[analysis.Plan] {
	type p = analysis.Plan
	return []column[p]{
		{"receiver", func(v p) any { return v.Receiver }, nil},
		{"ip", func(v p) any { return v.IP }, nil},
		{"best", func(v p) any { return v.Best }, func(v p) string {
			if v.Best {
				return "*"
			}
			return ""
		}},
		{"score", func(v p) any { return round1(v.Score) }, func(v p) string {
			if v.Unknown {
				return "?"
			}
			return fmt.Sprintf("%.0f", v.Score)
		}},
		{"lo", func(v p) any { return round1(v.Lo) }, func(v p) string { return fmt.Sprintf("%.0f", v.Lo) }},
		{"accepted_best_day", func(v p) any { return v.Most }, nil},
		{"tomorrow", func(v p) any { return v.Tomorrow }, nil},
		{"hourly", func(v p) any { return v.Hourly }, nil},
		{"why", func(v p) any { return v.Why }, nil},
	}
}
