package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"repute/reports"
)

func (a *app) explainCommand() *cobra.Command {
	q := &query{}
	var at, lang string
	cmd := &cobra.Command{
		Use:   "explain IP RECEIVER",
		Short: "One screen about one score: its parts, the evidence, the replies, what to do",
		Long: `explain tells why a score is what it is: the interval, the latest change and
its cause, the outcomes of the last seven days beside those of the week before,
what each part of the model adds, the replies, how other IPs fare at the
receiver and this IP elsewhere, and what seeds, complaints and public scores say.`,
		Example: "  repute explain 192.0.2.14 docomo --at 2026-01-02",
		Args:    cobra.ExactArgs(2),
	}
	cmd.Flags().StringVar(&q.db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&at, "at", "", "at the end of this `day` (2026-01-05)")
	langFlag(cmd, &lang)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q.receiver = args[1]
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		w, err := language(lang, &q.cfg)
		if err != nil {
			return err
		}
		day, err := parseDay(at, zone(&q.cfg))
		if err != nil {
			return err
		}
		e, ok, err := an.Explain(cmd.Context(), args[0], q.receiver, day)
		if err != nil {
			return storeStatus(err)
		}
		if !ok {
			return withStatus(exitNothing, fmt.Errorf("no evidence about %s at %s; repute scores lists what there is", args[0], args[1]))
		}
		return reports.Explain(a.out, e, w)
	}
	return cmd
}
