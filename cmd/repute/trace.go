package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"repute/delivery"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/reports"
)

func (a *app) traceCommand() *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use:   "trace QUERY",
		Short: "The life of a message in plain words: by queue id, message-id or address",
		Long: `trace answers "did the order mail arrive?". QUERY is a queue id, a message-id,
or the address of a sender or recipient. Addresses are kept as keyed hashes;
the one you ask for is hashed and found.

Exit status 3 if nothing is found.`,
		Example: "  repute trace bob@example.net\n  repute trace 3F2A11C0D5",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&db, "db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx := cmd.Context()
		s, r, err := a.openDatabase(ctx, db)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := adoptZone(ctx, &r.cfg, s, nil); err != nil {
			return storeStatus(err)
		}
		key, err := hashKey(ctx, s)
		if err != nil {
			return storeStatus(err)
		}
		q := strings.Trim(strings.TrimSpace(args[0]), "<>")
		if q == "" {
			return usagef("trace what? The queue id, message-id or address is empty")
		}
		steps, err := s.Trace(ctx, q, ingest.Hash(key, []byte(q)))
		if err != nil {
			return storeStatus(err)
		}
		if len(steps) == 0 {
			return withStatus(exitNothing, fmt.Errorf("nothing is known of %s: no such queue id, message-id or address in this database", q))
		}
		return a.tellSteps(r, steps)
	}
	return cmd
}

// tellSteps prints the messages one after the other.
func (a *app) tellSteps(r *reading, steps []store.Step) error {
	z := zone(&r.cfg)
	var b strings.Builder
	for i := range steps {
		s := &steps[i]
		if i == 0 || steps[i-1].Message != s.Message {
			from := "from a sender at " + s.SenderDomain
			if s.Bounce {
				from = "a bounce"
			} else if s.SenderDomain == "" {
				from = "sender not in the log"
			}
			fmt.Fprintf(&b, "%s on %s, %s, %s\n", reports.Printable(s.QueueID), reports.Printable(s.Host), reports.Printable(from), time.UnixMicro(s.Arrived).In(z).Format("Mon 2 Jan 2006 15:04:05 MST"))
		}
		fmt.Fprintf(&b, "  %s  %s\n", time.UnixMicro(s.At).In(z).Format("2 Jan 15:04:05"), reports.Printable(r.step(s)))
	}
	_, err := io.WriteString(a.out, b.String())
	return err
}

// step says one event in plain words.
func (r *reading) step(s *store.Step) string {
	to := fmt.Sprintf("for %s (%s)", s.Domain, r.rules.ByID(s.Receiver).Name)
	why := ""
	if s.Reason != "" {
		why = fmt.Sprintf(": %s", s.Reason)
	}
	if s.Reply != "" || s.Code > 0 {
		why += fmt.Sprintf(" — %d %s", s.Code, s.Reply)
	}
	switch {
	case s.Kind == delivery.Expired:
		return "given up " + to + ": not accepted in time"
	case s.Kind == delivery.Probe:
		return "address checked " + to + ", " + s.Status.String()
	case s.Status == delivery.Sent && s.Attempted:
		return "accepted " + to + ". The receiver has it; whether in the inbox or the spam folder no log tells"
	case s.Status == delivery.Sent:
		return "delivered " + to + " within our own system"
	case s.Status == delivery.Deferred && !s.Attempted:
		return "waiting " + to + ", not tried" + why
	case s.Status == delivery.Deferred:
		return "put off " + to + why
	case s.Status == delivery.Bounced:
		return "refused " + to + why
	}
	return s.Kind.String() + " " + to
}
