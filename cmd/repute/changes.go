package main

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"repute/inference"
)

func (a *app) changesCommand() *cobra.Command {
	q := &query{}
	cmd := &cobra.Command{
		Use:   "changes",
		Short: "Falls and recoveries: when, how far, and why",
		Long: `changes lists each fall and recovery of a score, with its day, its size and
its most likely cause: the IP, its neighbourhood, the receiver (towards all),
something private between the two, or the stream that was sent. Outages, our own
network and bad lists are listed as what they are: not reputation.`,
		Args: cobra.NoArgs,
	}
	q.flags(cmd)
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		result, err := an.Run(cmd.Context(), false)
		if err != nil {
			return storeStatus(err)
		}
		if !slices.ContainsFunc(result.Estimates, func(e inference.Estimate) bool { return q.wants(e.IP, e.Receiver) }) {
			return errNoEvidence // none is no good news where nothing is known
		}
		var rows []inference.Change
		for _, c := range result.Changes {
			if (q.ip == "" || c.IP == q.ip || c.IP == "") && (q.receiver == "" || c.Receiver == q.receiver || c.Receiver == "") {
				rows = append(rows, c)
			}
		}
		return printRows(a.out, *format, changeColumns(), seq(rows))
	}
	return cmd
}

// changeColumns are the contract of `repute changes`.
func changeColumns() []column[inference.Change] {
	type c = inference.Change
	const short = "2006-01-02 15:04"
	return []column[c]{
		{"time", func(v c) any { return v.Noticed.Format(time.RFC3339) }, func(v c) string { return v.Noticed.Format(short) }},
		{"since", func(v c) any { return v.Time.Format(time.RFC3339) }, func(v c) string { return v.Time.Format(short) }},
		{"ip", func(v c) any { return v.IP }, nil},
		{"receiver", func(v c) any { return v.Receiver }, nil},
		{"cause", func(v c) any { return string(v.Cause) }, nil},
		{"entity", func(v c) any { return v.Entity }, nil},
		{"before", func(v c) any { return round1(v.Before) }, func(v c) string { return points(v, v.Before) }},
		{"after", func(v c) any { return round1(v.After) }, func(v c) string { return points(v, v.After) }},
		{"drop", func(v c) any { return round1(v.Drop) }, func(v c) string { return points(v, v.Drop) }},
		{"confidence", func(v c) any { return math.Round(v.Confidence*100) / 100 }, nil},
	}
}

// points prints a number of points; events that are not reputation have none.
func points(c inference.Change, x float64) string {
	if c.Before == 0 && c.After == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", x)
}
