package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/store"
)

// query is what the commands share that ask the database.
type query struct {
	*reading
	db       string
	ip       string
	receiver string
}

// wants tells whether a row is asked for: with neither flag each is.
func (q *query) wants(ip, receiver string) bool {
	return (q.ip == "" || ip == q.ip) && (q.receiver == "" || receiver == q.receiver)
}

// errNoEvidence is said where nothing is known of what is asked for: no rows
// would look like "all is well".
var errNoEvidence = withStatus(exitNothing, errors.New("no evidence for that; repute scores without --ip, --receiver and --at lists what there is"))

func (q *query) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&q.db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&q.ip, "ip", "", "only this sending `IP`")
	cmd.Flags().StringVar(&q.receiver, "receiver", "", "only this `receiver`: an id, a name or a domain")
}

// open loads configuration and rules and opens the database.
func (a *app) open(ctx context.Context, q *query) (*analysis.Analysis, func() error, error) {
	an, s, err := a.openBoth(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	return an, s.Close, nil
}

// openBoth is open for those who need the database too, and close it.
func (a *app) openBoth(ctx context.Context, q *query) (*analysis.Analysis, *store.Store, error) {
	s, r, err := a.openDatabase(ctx, q.db)
	if err != nil {
		return nil, nil, err
	}
	q.reading = r
	if found, ok := r.rules.Lookup(q.receiver); ok && q.receiver != "" {
		q.receiver = found.ID
	}
	if err := errors.Join(adoptZone(ctx, &r.cfg, s, nil), a.checkRules(ctx, s, r.rules)); err != nil {
		s.Close()
		return nil, nil, storeStatus(err)
	}
	an, err := analysis.New(ctx, s, r.rules, senderRules(&r.cfg), model(&r.cfg), time.Now())
	if err != nil {
		s.Close()
		return nil, nil, storeStatus(err)
	}
	a.sayAhead(an)
	return an, s, nil
}

// sayAhead tells of lines whose stamps are wrong.
func (a *app) sayAhead(an *analysis.Analysis) {
	if n := an.Ahead(); n > 0 {
		fmt.Fprintf(a.err, "repute: left out, for they are stamped later than tomorrow: %d attempts\n", n)
	}
}

func (a *app) scoresCommand() *cobra.Command {
	q := &query{}
	var daily bool
	var at, by string
	cmd := &cobra.Command{
		Use:   "scores",
		Short: "The reputation of every sending IP at every receiver",
		Long: `scores prints an estimate for each (sending IP, receiver): a score from 0 to
100, its 80 % interval, and how many first outcomes of its own it stands on.
"unknown" means that the interval is wider than 40 points: never read it as
good or as bad. "borrowed" means that most of it comes from the IP, the
network and the receiver, not from mail of this pair.

Scores are the SMTP view: logs do not show the spam folder. Where signals from
outside do (repute signals --help), "full" is the score that counts mail in the
spam folder for a quarter, and view says "full".`,
		Example: "  repute scores --ip 192.0.2.14\n  repute scores --daily --receiver docomo --format csv\n  repute scores --format prometheus > /var/lib/node_exporter/repute.prom",
		Args:    cobra.NoArgs,
	}
	q.flags(cmd)
	cmd.Flags().BoolVar(&daily, "daily", false, "one row for each day, as known that day")
	cmd.Flags().StringVar(&at, "at", "", "as known at the end of this `day` (2026-01-05)")
	cmd.Flags().StringVar(&by, "by", "receiver", "`receiver|domain`")
	format := formatFlag(cmd, "table")
	cmd.Flags().Lookup("format").Usage = "`table|json|csv|prometheus`; json is one object a line, prometheus a textfile"
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if by != "receiver" && by != "domain" {
			return usagef("--by %s: receiver or domain", by)
		}
		if *format == "prometheus" && (daily || by != "receiver") {
			return usagef("--format prometheus is of receivers on one day: leave out --daily and --by")
		}
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		until, err := parseDay(at, zone(&q.cfg))
		if err != nil {
			return err
		}
		var result analysis.Result
		if daily || by == "domain" {
			result, err = an.Run(cmd.Context(), by == "domain")
		} else {
			result, err = an.RunSince(cmd.Context(), until)
		}
		if err != nil {
			return storeStatus(err)
		}
		rows := q.choose(result.Estimates, daily, until)
		if len(rows) == 0 {
			return errNoEvidence
		}
		if *format == "prometheus" {
			return a.prometheus(cmd.Context(), an, q, &result, rows, at != "")
		}
		return printRows(a.out, *format, scoreColumns(by), seq(rows))
	}
	return cmd
}

// prometheus prints scores with the plan for the day after the last; of an
// earlier day there is none.
func (a *app) prometheus(ctx context.Context, an *analysis.Analysis, q *query, r *analysis.Result, rows []inference.Estimate, past bool) error {
	var plans []analysis.Plan
	if !past {
		all, err := an.PlanOf(ctx, r)
		if err != nil {
			return storeStatus(err)
		}
		for _, p := range all {
			if q.wants(p.IP, p.Receiver) {
				plans = append(plans, p)
			}
		}
	}
	return printPrometheus(a.out, rows, plans)
}

// parseDay reads "2026-01-05"; "" is no day.
func parseDay(s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%q is no day; write 2026-01-05", s)
}

// choose keeps the rows asked for: of each day, or the last.
func (q *query) choose(all []inference.Estimate, daily bool, until time.Time) []inference.Estimate {
	var last time.Time
	for i := range all {
		if until.IsZero() || !all[i].Day.After(until) {
			last = all[i].Day
		}
	}
	var rows []inference.Estimate
	for _, e := range all {
		if !q.wants(e.IP, e.Receiver) ||
			e.Day.After(last) || !daily && !e.Day.Equal(last) {
			continue
		}
		rows = append(rows, e)
	}
	slices.SortStableFunc(rows, func(x, y inference.Estimate) int {
		return cmp.Or(x.Day.Compare(y.Day), cmp.Compare(x.IP, y.IP), cmp.Compare(x.Receiver, y.Receiver))
	})
	return rows
}

func seq[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func round1(x float64) float64 { return math.Round(x*10) / 10 }

// scoreColumns are the contract of `repute scores`.
func scoreColumns(by string) []column[inference.Estimate] {
	type e = inference.Estimate
	number := func(x float64) string { return fmt.Sprintf("%.0f", x) }
	return []column[e]{
		{"day", func(v e) any { return v.Day.Format("2006-01-02") }, nil},
		{"ip", func(v e) any { return v.IP }, nil},
		{by, func(v e) any { return v.Receiver }, nil},
		{"score", func(v e) any { return round1(v.Score) }, func(v e) string {
			if v.Unknown {
				return "?"
			}
			return number(v.Score) + borrowedMark(v)
		}},
		{"lo", func(v e) any { return round1(v.Lo) }, func(v e) string { return number(v.Lo) }},
		{"hi", func(v e) any { return round1(v.Hi) }, func(v e) string { return number(v.Hi) }},
		{"band", func(v e) any { return band(v) }, nil},
		{"evidence", func(v e) any { return v.Evidence }, nil},
		{"own", func(v e) any { return round1(v.Own) }, nil},
		{"unknown", func(v e) any { return v.Unknown }, func(v e) string { return needsWord(v) }},
		{"borrowed", func(v e) any { return v.Borrowed }, func(v e) string { return yes(v.Borrowed) }},
		{"view", func(v e) any { return v.View }, nil},
		{"full", func(v e) any { return full(v, v.Full) }, func(v e) string { return fullWord(v, v.Full) }},
		{"full_lo", func(v e) any { return full(v, v.FullLo) }, func(v e) string { return fullWord(v, v.FullLo) }},
		{"full_hi", func(v e) any { return full(v, v.FullHi) }, func(v e) string { return fullWord(v, v.FullHi) }},
	}
}

// full is a figure of the full score, nil where nothing is known of folders.
func full(v inference.Estimate, x float64) any {
	if v.View != inference.ViewFull {
		return nil
	}
	return round1(x)
}

func fullWord(v inference.Estimate, x float64) string {
	if v.View != inference.ViewFull {
		return ""
	}
	return fmt.Sprintf("%.0f", x)
}

func band(v inference.Estimate) string {
	if v.Unknown {
		return "unknown"
	}
	return v.Band
}

func borrowedMark(v inference.Estimate) string {
	if v.Borrowed {
		return "b"
	}
	return ""
}

func needsWord(v inference.Estimate) string {
	if v.Unknown {
		return fmt.Sprintf("needs %d", v.Needs)
	}
	return ""
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}
