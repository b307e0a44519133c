package main

import (
	"time"

	"github.com/spf13/cobra"

	"repute/internal/store"
)

func (a *app) dbCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "db", Short: "About the database", RunE: func(cmd *cobra.Command, _ []string) error {
		return usagef("say what: %s info, or prune", cmd.CommandPath())
	}}
	cmd.AddCommand(a.dbInfoCommand(), a.dbPruneCommand())
	return cmd
}

func (a *app) dbInfoCommand() *cobra.Command {
	q := &query{}
	cmd := &cobra.Command{Use: "info", Short: "What the database holds", Args: cobra.NoArgs}
	cmd.Flags().StringVar(&q.db, "db", "", "database `file` (default repute.duckdb)")
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, r, err := a.openDatabase(cmd.Context(), q.db)
		if err != nil {
			return err
		}
		defer s.Close()
		info, err := s.Info(cmd.Context())
		if err != nil {
			return storeStatus(err)
		}
		return printRows(a.out, *format, infoColumns(r), seq([]store.Info{info}))
	}
	return cmd
}

// infoColumns are the contract of `repute db info`.
func infoColumns(r *reading) []column[store.Info] {
	type i = store.Info
	return []column[i]{
		{"lines", func(v i) any { return v.Lines }, nil},
		{"events", func(v i) any { return v.Events }, nil},
		{"attempts", func(v i) any { return v.Attempts }, nil},
		{"irrelevant", func(v i) any { return v.Irrelevant }, nil},
		{"not_understood", func(v i) any { return v.NotUnderstood }, nil},
		{"messages", func(v i) any { return v.Messages }, nil},
		{"bytes", func(v i) any { return v.Bytes }, nil},
		{"first", func(v i) any { return stamp(v.First, r) }, nil},
		{"last", func(v i) any { return stamp(v.Last, r) }, nil},
	}
}

// stamp prints Unix microseconds in the configured zone; nil if there are none.
func stamp(micros int64, r *reading) any {
	if micros == 0 {
		return nil
	}
	return time.UnixMicro(micros).In(zone(&r.cfg)).Format(time.RFC3339)
}
