package main

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"repute/internal/ingest"
	"repute/internal/store"
)

func (a *app) ingestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ingest FILE...",
		Short: "Read logs into the database; only what is new",
		Long: `ingest reads logs, folders of logs and rotated, compressed sets into the
database. What was read before is not read again, whatever the file's name is
now. "-" is standard input.

Exit status: 0 ok, 1 some inputs failed, 2 usage, 3 nothing recognised,
74 damaged database, 75 database in use or disk full, 130 interrupted.`,
		Example: "  repute ingest --db repute.duckdb /var/log/mail.log*",
		Args:    cobra.MinimumNArgs(1),
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := a.newReading()
		if err != nil {
			return err
		}
		// What a load keeps are names and open messages, and little is thrown
		// away: to look for it more often costs nothing to speak of.
		defer debug.SetGCPercent(debug.SetGCPercent(25))
		options := limits(&r.cfg)
		options.Loading = true
		s, err := a.ownStore(cmd.Context(), a.database(*db, r), options)
		if err != nil {
			return err
		}
		defer s.Close()
		report, err := a.ingestInto(cmd.Context(), r, s, args)
		a.sayCoverage(&report)
		return err
	}
	return cmd
}

// database is where the database is: the flag, else the configuration.
func (a *app) database(flag string, r *reading) string {
	if flag != "" {
		return flag
	}
	return r.cfg.Store.DB
}

func (a *app) ingestInto(ctx context.Context, r *reading, s *store.Store, args []string) (ingest.Report, error) {
	key, err := hashKey(ctx, s)
	if err != nil {
		return ingest.Report{}, storeStatus(err)
	}
	return a.ingest(ctx, r, args, ingest.Options{Store: s, Key: key})
}

// sayCoverage tells on stderr what was read.
func (a *app) sayCoverage(r *ingest.Report) {
	t := r.Total()
	fmt.Fprintf(a.err, "%d lines: %d events, %d attempts; %d lines not about mail delivery, %d not understood\n",
		t.Lines, t.Events, t.Attempts, t.Irrelevant, t.NotUnderstood)
	if t.Repeated > 0 {
		fmt.Fprintf(a.err, "%d attempts are told of in other files too and were counted there\n", t.Repeated)
	}
	if r.Evicted > 0 {
		fmt.Fprintf(a.err, "%d messages that never left the queue were given up: of later lines about them the sender is not known\n", r.Evicted)
	}
	if r.Crowded > 0 {
		fmt.Fprintf(a.err, "%d times a name or a reply was counted among others: there are too many\n", r.Crowded)
	}
}
