package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"repute/internal/config"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/reports"
)

func (a *app) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Read the whole database and check that it adds up",
		Long: `verify reads every block of the database and checks that what was read of each
log tiles it without gap or overlap, that counts agree and that ids lead
somewhere.

Exit status: 0 all is well, 74 something is not.`,
		Args: cobra.NoArgs,
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, r, err := a.openDatabase(cmd.Context(), *db)
		if err != nil {
			return err
		}
		defer s.Close()
		faults, err := s.Verify(cmd.Context())
		if err != nil {
			return storeStatus(err)
		}
		for _, f := range faults {
			fmt.Fprintln(a.out, reports.Printable(f))
		}
		if len(faults) > 0 {
			return withStatus(exitIO, fmt.Errorf("%d faults; try: repute repair --db %s", len(faults), a.database(*db, r)))
		}
		info, err := s.Info(cmd.Context())
		if err != nil {
			return storeStatus(err)
		}
		_, err = fmt.Fprintf(a.out, "ok: %d lines, %d events, %d messages\n", info.Lines, info.Events, info.Messages)
		return err
	}
	return cmd
}

func (a *app) repairCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repair",
		Short: "Make a damaged database usable again",
		Long: `repair puts what does not open aside, under another name, and says what. A
damaged log of changes (DB.wal) costs what came after the damage, or after the
last checkpoint: read the logs again, ingest goes on where the database now
stands and nothing counts twice. A block that a power cut left written in part
gets a new checksum, if the database then adds up. Nothing is deleted.`,
		Args: cobra.NoArgs,
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := a.newReading()
		if err != nil {
			return err
		}
		path := a.database(*db, r)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return usagef("there is no database %q", path)
		}
		done, err := store.Repair(cmd.Context(), path, store.Options{MemoryLimit: int64(r.cfg.Store.MemoryLimit), Threads: r.cfg.Store.Threads})
		for _, d := range done {
			fmt.Fprintln(a.out, reports.Printable(d))
		}
		switch {
		case err != nil:
			return storeStatus(err)
		case len(done) == 0:
			fmt.Fprintln(a.out, "the database opens and every block can be read; nothing to repair")
		default:
			fmt.Fprintf(a.out, "now read the logs again: repute ingest --db %s FILE…\n", path)
		}
		return nil
	}
	return cmd
}

func (a *app) forgetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forget ADDRESS",
		Short: "Take a person's address out of the database",
		Long: `forget takes the keyed hash of an address out of every row: trace no longer
finds it. Addresses themselves are never in the database. The counts stay: they
are nobody's.`,
		Args: cobra.ExactArgs(1),
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		s, _, err := a.openDatabase(ctx, *db)
		if err != nil {
			return err
		}
		defer s.Close()
		key, err := hashKey(ctx, s)
		if err != nil {
			return storeStatus(err)
		}
		address := strings.Trim(strings.TrimSpace(args[0]), "<>")
		if address == "" {
			return usagef("forget whom? The address is empty")
		}
		n, err := s.Forget(ctx, ingest.Hash(key, []byte(address)))
		if err != nil {
			return storeStatus(err)
		}
		if n == 0 {
			return withStatus(exitNothing, errors.New("that address is in no row"))
		}
		_, err = fmt.Fprintf(a.out, "taken out of %d rows\n", n)
		return err
	}
	return cmd
}

// retention is [store.retention].
func retention(cfg *config.Config) store.Keep {
	return store.Keep{Events: cfg.Store.Retention.Events.Duration, Evidence: cfg.Store.Retention.Evidence.Duration}
}

func (a *app) dbPruneCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Delete what is older than [store] retention",
		Long: `prune deletes events and evidence that are older than the configuration keeps
them ([store.retention], 35 and 400 days), counted back from the newest line.
Scores and reports come from the evidence; trace and quoted replies need the
events. repute follow does it once a day; beside ingest, run it from a timer.`,
		Args: cobra.NoArgs,
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx := cmd.Context()
		s, r, err := a.openDatabase(ctx, *db)
		if err != nil {
			return err
		}
		defer s.Close()
		n, err := s.Retain(ctx, retention(&r.cfg))
		if err != nil {
			return storeStatus(err)
		}
		_, err = fmt.Fprintf(a.out, "%d rows deleted\n", n)
		return err
	}
	return cmd
}
