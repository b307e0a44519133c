package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"repute/internal/store"
)

// guessed is the confidence below which a verdict stands on the code alone.
const guessed = 0.45

// gap is a reply of which no rule tells anything, or only what its code
// suggests.
type gap struct {
	Receiver string // "" where several that no rule is for give it
	Template *store.Template
	Attempts int64
	First    int64
	Share    float64 // of all first outcomes that were not accepted
}

func (a *app) rulesGapsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gaps",
		Short: "Replies that no rule understands, the most weighty first, as rules to fill in",
		Long: `gaps lists the replies of which no rule tells the reason, or only the code
suggests one, by receiver, the one that most of your mail got first, each as a
rule in TOML to be completed: put a reason in (docs/reasons.md), put it into a
file in a directory, and try it with

  repute rules test DIR
  repute rules apply --rules DIR --dry-run`,
		Example: "  repute rules gaps -n 5 > my-rules/gaps.toml",
		Args:    cobra.NoArgs,
	}
	db := cmd.Flags().String("db", "", "database `file` (default repute.duckdb)")
	n := cmd.Flags().IntP("number", "n", 20, "how many at most")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s, _, err := a.openDatabase(cmd.Context(), *db)
		if err != nil {
			return err
		}
		defer s.Close()
		gaps, err := findGaps(cmd.Context(), s)
		if err != nil {
			return storeStatus(err)
		}
		if len(gaps) == 0 {
			fmt.Fprintln(a.out, "# Every reply is understood.")
			return nil
		}
		for i := range gaps[:min(len(gaps), *n)] {
			gaps[i].write(a.out)
		}
		if rest := len(gaps) - *n; rest > 0 {
			fmt.Fprintf(a.out, "# and %d more: -n %d\n", rest, len(gaps))
		}
		return nil
	}
	return cmd
}

func findGaps(ctx context.Context, s *store.Store) ([]gap, error) {
	templates, err := s.Templates(ctx)
	if err != nil {
		return nil, err
	}
	receivers, err := s.Receivers(ctx)
	if err != nil {
		return nil, err
	}
	uses, err := s.Uses(ctx)
	if err != nil {
		return nil, err
	}
	byID := map[int32]*gap{}
	var first int64
	for _, u := range uses {
		first += u.First
		t := &templates[u.Template-1]
		if t.Verdict.Confidence >= guessed {
			continue
		}
		g := byID[t.ID]
		if g == nil {
			g = &gap{Template: t, Receiver: receivers[u.Receiver-1].Name}
			byID[t.ID] = g
		}
		if g.Receiver != receivers[u.Receiver-1].Name {
			g.Receiver = ""
		}
		g.Attempts += u.Attempts
		g.First += u.First
	}
	var out []gap
	for _, g := range byID {
		g.Share = float64(g.First) / float64(max(first, 1))
		out = append(out, *g)
	}
	slices.SortFunc(out, func(x, y gap) int {
		return cmp.Or(cmp.Compare(y.First, x.First), cmp.Compare(y.Attempts, x.Attempts), cmp.Compare(x.Template.ID, y.Template.ID))
	})
	return out, nil
}

// write prints a gap as a rule to be completed.
func (g *gap) write(w io.Writer) {
	t := g.Template
	fmt.Fprintf(w, "# %d attempts, %d first outcomes, %.1f %% of what was not accepted\n[[rule]]\nid = %s\n",
		g.Attempts, g.First, 100*g.Share, quoteTOML(g.id()))
	if g.Receiver != "" {
		fmt.Fprintf(w, "receiver = [%s]\n", quoteTOML(g.Receiver))
	}
	code := "none"
	if t.Reply.Code != 0 {
		code = strconv.Itoa(int(t.Reply.Code))
	}
	fmt.Fprintf(w, "reason = %s  # a guess from the code; see docs/reasons.md\ncode = [%s]\n", quoteTOML(t.Verdict.Reason.String()), quoteTOML(code))
	if words := longestWords(string(t.Reply.Text)); words != "" {
		fmt.Fprintf(w, "phrase = [%s]\n", quoteTOML(strings.ToLower(words)))
	}
	example := t.Sample
	if t.Reply.Code != 0 {
		example = code + " " + example
	}
	fmt.Fprintf(w, "source = \"our log\"\nexamples = [%s]\n\n", quoteTOML(example))
}

func (g *gap) id() string {
	name := g.Receiver
	if name == "" {
		name = "any"
	}
	return fmt.Sprintf("%s-%d-%d", strings.ReplaceAll(name, ".", "-"), g.Template.Reply.Code, g.Template.ID)
}

// longestWords is the longest part of a masked text without anything masked.
func longestWords(text string) string {
	best := ""
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune("#@[]<>", r) }) {
		if part = strings.TrimSpace(part); len(part) > len(best) {
			best = part
		}
	}
	return best
}

// quoteTOML writes a basic string. The text is a stranger's: what TOML does not
// take as it is, and what a terminal would act on, is escaped.
func quoteTOML(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
