package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"repute/delivery"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/rules"
)

func (a *app) rulesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "rules", Short: "About the rules that classify replies", RunE: func(cmd *cobra.Command, _ []string) error {
		return usagef("say what: %[1]s test, %[1]s gaps or %[1]s apply", cmd.CommandPath())
	}}
	cmd.AddCommand(a.rulesTestCommand(), a.rulesGapsCommand(), a.rulesApplyCommand())
	return cmd
}

func (a *app) rulesTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test [DIR]",
		Short: "Check that every rule wins its own examples",
		Long: `test loads the rules, with those of DIR before the built-in ones, and checks the
laws: every example is won by its own rule, no counter-example is, ids are
unique, reasons are from the list. Exit status 1 if one is broken.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.rulesDir = args[0]
			}
			set, err := a.loadRules()
			if err != nil {
				return err
			}
			errs := set.Check()
			for _, err := range errs {
				a.complain(err)
			}
			fmt.Fprintf(a.out, "%d rules, version %s: %d broken\n", len(set.Rules()), set.Version(), len(errs))
			if len(errs) > 0 {
				return &exitError{status: exitPartial}
			}
			return nil
		},
	}
}

func (a *app) rulesApplyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply",
		Short: "Classify what was read before again, with the rules of now",
		Long: `apply classifies the replies in the database again and books attempts and
evidence anew, without the logs: after you changed or added rules, or after an
update of repute. Evidence of attempts that were pruned stays as it is.`,
		Example: "  repute rules apply --dry-run\n  repute rules apply --rules my-rules",
		Args:    cobra.NoArgs,
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	dry := cmd.Flags().Bool("dry-run", false, "say what would change, and change nothing")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, r, err := a.openDatabase(cmd.Context(), *db)
		if err != nil {
			return err
		}
		defer s.Close()
		done, err := ingest.Relabel(cmd.Context(), s, r.rules, *dry)
		if err != nil {
			return storeStatus(err)
		}
		a.printRelabeled(done, *dry)
		return nil
	}
	return cmd
}

func (a *app) printRelabeled(r *ingest.Relabeled, dry bool) {
	word := "are"
	if dry {
		word = "would be"
	}
	fmt.Fprintf(a.out, "%d of %d kinds of reply read differently; %d attempts, %d of them first outcomes, %s booked anew.\n",
		r.Changed, r.Templates, r.Attempts, r.First, word)
	var list [][2]delivery.Reason
	for k := range r.Reasons {
		list = append(list, k)
	}
	slices.SortFunc(list, func(x, y [2]delivery.Reason) int {
		if d := r.Reasons[y] - r.Reasons[x]; d != 0 {
			return int(d)
		}
		return strings.Compare(x[0].String()+x[1].String(), y[0].String()+y[1].String())
	})
	for _, k := range list {
		fmt.Fprintf(a.out, "  %8d  %s -> %s\n", r.Reasons[k], k[0], k[1])
	}
}

// checkRules tells where the replies in the database were classified with
// other rules than those of now: new ones would be booked another way than old
// ones.
func (a *app) checkRules(ctx context.Context, s *store.Store, set *rules.Set) error {
	kept, err := s.Meta(ctx, ingest.RulesMeta)
	if err != nil { // a new database
		return s.SetMeta(ctx, ingest.RulesMeta, set.Version())
	}
	if kept != set.Version() {
		a.log.Warn("the rules are not those that the replies in the database were classified with; run: repute rules apply",
			"database", kept, "now", set.Version())
	}
	return nil
}
