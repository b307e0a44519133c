package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"repute/internal/ingest"
	"repute/internal/sender"
	"repute/internal/store"
	"repute/reports"
)

func (a *app) doctorCommand() *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use:   "doctor [FILE...]",
		Short: "Can the sending IPs be told apart? What was not understood?",
		Long: `doctor tells, for each place that mail leaves from, which sending IP it stands
for and how that is known; prints the lines to add to Postfix, Exim or
repute.toml where it is not; and shows lines that were not understood. With
files it reads them; without, it looks into the database.`,
	}
	cmd.Flags().StringVar(&db, "db", "", "database `file` (default repute.duckdb; with files: none)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := a.newReading()
		if err != nil {
			return err
		}
		path := a.database(db, r)
		if len(args) > 0 && db == "" {
			path = store.Memory
		}
		if len(args) > 0 && a.lent != nil {
			return withStatus(exitTryAgain, errors.New("the database is in use by repute follow, which reads its logs itself; without --db these files are read into none"))
		}
		s, err := a.openStore(cmd.Context(), path, len(args) > 0, &r.cfg)
		if err != nil {
			return err
		}
		defer s.Close()
		var readErr error
		if len(args) > 0 {
			var report ingest.Report
			if report, readErr = a.ingestInto(cmd.Context(), r, s, args); readErr != nil && exitStatus(cmd.Context(), readErr) != exitPartial {
				return readErr
			}
			a.sayCoverage(&report)
		}
		if err := a.examine(cmd.Context(), r, s); err != nil {
			return storeStatus(err)
		}
		return readErr
	}
	return cmd
}

// survey tells what is known of each place that mail leaves from.
func survey(ctx context.Context, r *reading, s *store.Store) ([]sender.Known, error) {
	origins, err := s.Origins(ctx)
	if err != nil {
		return nil, err
	}
	quotes, err := s.SenderQuotes(ctx, origins)
	if err != nil {
		return nil, err
	}
	attempts, err := s.AttemptsByOrigin(ctx)
	if err != nil {
		return nil, err
	}
	var places []sender.Origin
	var counts []int64
	for _, o := range origins {
		if n := attempts[o.ID]; n > 0 {
			places, counts = append(places, o.Origin), append(counts, n)
		}
	}
	return sender.New(senderRules(&r.cfg), quotes).Survey(places, counts), nil
}

// examine prints what is known of the sending side and of the lines.
func (a *app) examine(ctx context.Context, r *reading, s *store.Store) error {
	known, err := survey(ctx, r, s)
	if err != nil {
		return err
	}
	if err := printRows(a.out, "table", knownColumns(), seq(known)); err != nil {
		return err
	}
	told := map[string]bool{}
	for _, k := range known {
		if advice := sender.Advice(k.Origin, k.Source); advice != "" && !told[advice] {
			told[advice] = true
			fmt.Fprintf(a.out, "\n%s: the log does not tell the sending IP. Add one of these:\n%s", reports.Printable(k.Source.Name), printableLines(advice))
		}
	}
	return a.notUnderstood(ctx, s)
}

func (a *app) notUnderstood(ctx context.Context, s *store.Store) error {
	streams, err := s.Streams(ctx)
	if err != nil {
		return err
	}
	samples, err := s.Samples(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(a.out)
	for i := range streams {
		st := &streams[i]
		fmt.Fprintf(a.out, "%s (%s): %d lines, %d events, %d not about mail delivery, %d not understood, %d too long, %d cut\n",
			reports.Printable(st.Path), st.Format, st.Lines, st.Events, st.Irrelevant, st.NotUnderstood, st.Oversize, st.Truncated)
		for _, v := range samples {
			if v.Stream == st.ID {
				fmt.Fprintf(a.out, "  line %d, %s: %s\n", v.Line, v.Kind, reports.Printable(v.Text))
			}
		}
	}
	return nil
}

func knownColumns() []column[sender.Known] {
	type k = sender.Known
	return []column[k]{
		{"host", func(v k) any { return v.Origin.Host }, nil},
		{"tag", func(v k) any { return v.Origin.Tag }, nil},
		{"transport", func(v k) any { return v.Origin.Transport }, nil},
		{"sender_domain", func(v k) any { return v.Origin.Domain }, nil},
		{"ip", func(v k) any { return v.Source.Name }, nil},
		{"known_by", func(v k) any { return string(v.Source.How) }, nil},
		{"attempts", func(v k) any { return v.Count }, nil},
	}
}

// printableLines is Printable for each line: names in it are the log's.
func printableLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(reports.Printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	return b.String()
}
