package main

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"repute/delivery"
	"repute/rules"
)

func (a *app) classifyCommand() *cobra.Command {
	var receiver string
	cmd := &cobra.Command{
		Use:   "classify REPLY|-",
		Short: "What a reply means, and which rule says so",
		Long: `classify tells the reason that the rules read from a reply: the winning rule,
its source, what to do, and the runners-up. "-" reads one reply a line.`,
		Example: `  repute classify --receiver outlook "550 5.7.1 ... part of their network is on our block list (S3150)"`,
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&receiver, "receiver", "", "who said it: an id, a name or a domain")
	format := formatFlag(cmd, "table")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		set, err := a.loadRules()
		if err != nil {
			return err
		}
		id := strings.ToLower(receiver)
		if r, ok := set.Lookup(receiver); ok {
			id = r.ID
		}
		c := &classifier{set: set, receiver: id}
		if len(args) == 1 && args[0] == "-" {
			return printRows(a.out, *format, c.columns(), a.replies())
		}
		text := strings.TrimSpace(strings.Join(args, " "))
		if text == "" {
			return usagef("the reply is empty")
		}
		if *format == "table" {
			return a.explainReply(c, text)
		}
		return printRows(a.out, *format, c.columns(), seq([]string{text}))
	}
	return cmd
}

// replies yields the lines of standard input.
func (a *app) replies() func(yield func(string, error) bool) {
	return func(yield func(string, error) bool) {
		lines := bufio.NewScanner(a.in)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if !yield(lines.Text(), nil) {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield("", err)
		}
	}
}

type classifier struct {
	set      *rules.Set
	receiver string
}

func (c *classifier) verdict(text string) delivery.Verdict {
	return c.set.Classify(c.receiver, rules.ParseReply(text))
}

// columns are the contract of `repute classify`.
func (c *classifier) columns() []column[string] {
	return []column[string]{
		{"reply", func(s string) any { return s }, nil},
		{"reason", func(s string) any { return c.verdict(s).Reason.String() }, nil},
		{"rule", func(s string) any { return c.verdict(s).Rule }, nil},
		{"provider", func(string) any { return c.receiver }, nil},
		{"confidence", func(s string) any { return float64(int(c.verdict(s).Confidence*100+0.5)) / 100 }, nil},
	}
}

// explainReply prints one screen about one reply.
func (a *app) explainReply(c *classifier, text string) error {
	reply := rules.ParseReply(text)
	v := c.set.Classify(c.receiver, reply)
	reason := v.Reason.String()
	if reason == "" {
		reason = "accepted"
	}
	fmt.Fprintf(a.out, "%s  (about: %s, confidence %.2f)\n", reason, orDash(v.About.String()), v.Confidence)
	matches := c.set.Explain(c.receiver, reply, 4)
	if len(matches) == 0 {
		fmt.Fprintln(a.out, "  no rule fits; docs/adding-a-rule.md tells how to add one")
		return nil
	}
	r := matches[0].Rule
	fmt.Fprintf(a.out, "  rule    %s\n  why     %s\n  source  %s, seen %s\n", r.ID, orDash(matches[0].Why), r.Source, r.Seen)
	if r.Advice != "" {
		fmt.Fprintf(a.out, "  do      %s\n", r.Advice)
	}
	if r.Link != "" {
		fmt.Fprintf(a.out, "  help    %s\n", r.Link)
	}
	for _, m := range matches[1:] {
		fmt.Fprintf(a.out, "  next    %s (%s): %s; weight %d after %d\n", m.Rule.ID, m.Rule.Reason, orDash(m.Why), m.Weight, matches[0].Weight)
	}
	fmt.Fprintf(a.out, "  booked  %s\n", delivery.ClassOf(delivery.Bounced, true, &reply, v))
	return nil
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
