package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"repute/delivery"
	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/internal/signals"
	"repute/internal/signals/arf"
	"repute/internal/signals/dmarc"
	"repute/internal/signals/mailbox"
	"repute/internal/signals/mapped"
	"repute/internal/signals/postmaster"
	"repute/internal/signals/seed"
	"repute/internal/signals/snds"
	"repute/internal/store"
	"repute/reports"
)

func (a *app) signalsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "signals",
		Short: "What the log can't show: spam folder, complaints, public scores",
		Long: `A log ends at "250 OK". Seed mailboxes, complaints, DMARC reports, Microsoft
SNDS, Google Postmaster Tools, Sender Score, Talos and block lists know more.
docs/signals.md tells where to get each and what it is worth.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return usagef("import, fetch or list is missing")
		},
	}
	cmd.AddCommand(a.signalsImportCommand(), a.signalsFetchCommand(), a.signalsListCommand())
	return cmd
}

// importing is what all importers share.
type importing struct {
	*reading
	store    *store.Store
	analysis *analysis.Analysis
	hash     func(string) uint64
	waiting  []signals.Record
	tally    tally
	complain func(error)
}

// tally is what the command tells at its end.
type tally struct {
	records, added, joined, byAddress, lost, unverified, faults int
}

// putAtOnce is how many records are kept in one transaction.
const putAtOnce = 5000

func (a *app) importing(ctx context.Context, db string) (*importing, error) {
	s, r, err := a.openDatabase(ctx, db)
	if err != nil {
		return nil, err
	}
	im := &importing{reading: r, store: s, complain: a.complain}
	key, err := hashKey(ctx, s)
	if err == nil {
		im.hash = func(text string) uint64 { return ingest.Hash(key, []byte(text)) }
		im.analysis, err = analysis.New(ctx, s, r.rules, senderRules(&r.cfg), model(&r.cfg), time.Now())
	}
	if err != nil {
		s.Close()
		return nil, storeStatus(err)
	}
	return im, nil
}

// take keeps a record for the next transaction.
func (im *importing) take(ctx context.Context, r signals.Record) error {
	im.waiting = append(im.waiting, r)
	if len(im.waiting) < putAtOnce {
		return nil
	}
	return im.flush(ctx)
}

// flush ties the waiting records to messages and puts them into the store.
func (im *importing) flush(ctx context.Context) error {
	joined, err := im.analysis.Join(ctx, im.waiting, im.hash)
	if err != nil {
		return storeStatus(err)
	}
	list := make([]store.Signal, 0, len(joined))
	for i := range joined {
		j := &joined[i]
		im.tally.records++
		if !j.Verified {
			im.tally.unverified++
		}
		switch j.How {
		case analysis.JoinMessage:
			im.tally.joined++
		case analysis.JoinAddress:
			im.tally.byAddress++
		case analysis.JoinNone:
			im.tally.lost++
		}
		list = append(list, j.Signal)
	}
	added, err := im.store.PutSignals(ctx, list)
	im.tally.added += added
	im.waiting = im.waiting[:0]
	return storeStatus(err)
}

func (im *importing) fault(err error) {
	im.tally.faults++
	if im.tally.faults <= maxFaults {
		im.complain(err)
	} else if im.tally.faults == maxFaults+1 {
		im.complain(errors.New("more faults are counted, not told"))
	}
}

// maxFaults is how many faults are told one by one.
const maxFaults = 20

// tell prints what became of the records, and gives the exit status.
func (im *importing) tell(out io.Writer, what string) error {
	t := &im.tally
	fmt.Fprintf(out, "%s: %d records, %d of them new; %d tied to a message, %d to an address or domain, %d to neither.\n",
		what, t.records, t.added, t.joined, t.byAddress, t.lost)
	if t.unverified > 0 {
		fmt.Fprintf(out, "%d are not verified and weigh nothing: no trusted host vouches for them ([signals] trust, or --trusted).\n", t.unverified)
	}
	if t.lost > 0 {
		fmt.Fprintln(out, "Those tied to neither are kept and count for nobody: their messages are not in the database, or no longer.")
	}
	switch {
	case t.records == 0 && t.faults > 0:
		return withStatus(exitNothing, fmt.Errorf("nothing recognised in %s, %d faults", what, t.faults))
	case t.faults > 0:
		return &exitError{status: exitPartial}
	}
	return nil
}

// importKinds are the kinds of files, with what they are.
var importKinds = []struct{ name, what string }{
	{"arf", "complaints (RFC 5965): mails, Maildir, mbox"},
	{"seed", "table of seed placements, by day or by message"},
	{"dmarc", "DMARC aggregate reports: XML, gz, zip, or the mails they came in"},
	{"snds", "Microsoft SNDS, CSV"},
	{"postmaster", "Google Postmaster Tools: JSON of the API (v2, v1), CSV"},
	{"senderscore", "Sender Score, CSV"},
	{"talos", "Cisco Talos, CSV"},
	{"engagement", "opens and clicks per receiver and day, CSV"},
	{"csv", "any table, with --map"},
}

func (a *app) signalsImportCommand() *cobra.Command {
	var db, mapping, domain string
	var trusted bool
	var kinds strings.Builder
	for _, k := range importKinds {
		fmt.Fprintf(&kinds, "  %-12s %s\n", k.name, k.what)
	}
	cmd := &cobra.Command{
		Use:   "import KIND FILE...",
		Short: "Read files of outside signals; what was read before counts once",
		Long: `import reads files of one KIND:

` + kinds.String() + `
Complaints and DMARC reports that came by mail count only if a host in
[signals] trust found them authentic (Authentication-Results, RFC 8601), or
with --trusted; others are kept and weigh nothing.

Exit status: 0 ok, 1 some records failed, 2 usage, 3 nothing recognised.`,
		Example: "  repute signals import snds snds.csv\n  repute signals import arf ~/Maildir/.fbl\n" +
			"  repute signals import csv --map 'kind=complaint,source=Sender Hub,date=Day,domain=Domain,receiver:yahoo.com,n=Delivered,k=Complaints' hub.csv",
		Args: cobra.MinimumNArgs(2),
	}
	cmd.Flags().StringVar(&db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&mapping, "map", "", "of csv: which `column` is what; field=Column or field:text, by commas")
	cmd.Flags().StringVar(&domain, "domain", "", "of postmaster: the sending `domain` that a table does not name")
	cmd.Flags().BoolVar(&trusted, "trusted", false, "believe the reports: they came by a way that strangers can't use")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		read, err := fileReader(args[0], mapping, domain)
		if err != nil {
			return err
		}
		ctx := cmd.Context()
		im, err := a.importing(ctx, db)
		if err != nil {
			return err
		}
		defer im.store.Close()
		if err := im.files(ctx, args[0], args[1:], read, trust(&im.cfg, trusted)); err != nil {
			return err
		}
		if err := im.flush(ctx); err != nil {
			return err
		}
		return im.tell(a.out, args[0])
	}
	return cmd
}

// tableReader reads the records of one file.
type tableReader func(name string, r io.Reader) iter.Seq2[signals.Record, error]

// fileReader returns the reader of a kind of tables; nil for those that come
// as mails.
func fileReader(kind, mapping, domain string) (tableReader, error) {
	if (kind == "csv") != (mapping != "") {
		return nil, usagef("--map belongs to csv, and csv needs it")
	}
	switch kind {
	case "arf", "dmarc":
		return nil, nil
	case "seed":
		return seed.Read, nil
	case "snds":
		return snds.Read, nil
	case "postmaster":
		return func(name string, r io.Reader) iter.Seq2[signals.Record, error] {
			return postmaster.Read(name, domain, r)
		}, nil
	case "csv":
		m, err := mapped.Parse(mapping)
		if err != nil {
			return nil, usagef("%v", err)
		}
		return m.Read, nil
	}
	if m := mapped.Known(kind); m != nil {
		return m.Read, nil
	}
	var names []string
	for _, k := range importKinds {
		names = append(names, k.name)
	}
	return nil, usagef("there is no kind %q; there are %s", kind, strings.Join(names, ", "))
}

func (im *importing) files(ctx context.Context, kind string, paths []string, read tableReader, t trustFor) error {
	fail := func(err error) { im.fault(err) }
	if kind == "arf" || kind == "dmarc" {
		return mailbox.Files(paths, func(m mailbox.Message) error { return im.mail(ctx, kind, m, t) }, fail)
	}
	for _, path := range paths {
		if err := im.table(ctx, path, read); err != nil {
			return err
		}
	}
	return nil
}

func (im *importing) table(ctx context.Context, path string, read tableReader) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		im.fault(err)
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		im.fault(err)
		return nil
	}
	defer f.Close()
	for rec, err := range read(path, f) {
		if err != nil {
			im.fault(err)
			continue
		}
		if err := im.take(ctx, rec); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// mail reads a report that came as a mail, or as the file that a mail carries.
func (im *importing) mail(ctx context.Context, kind string, m mailbox.Message, t trustFor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if kind == "dmarc" {
		var taken error
		err := dmarc.ReadMail(m.Body, t.mail, t.files, func(r signals.Record) bool {
			taken = im.take(ctx, r)
			return taken == nil
		})
		if err != nil {
			im.fault(fmt.Errorf("%s: %w", m.Name, err))
		}
		return taken
	}
	report, err := arf.Parse(m.Body, t.mail)
	if err != nil {
		im.fault(fmt.Errorf("%s: %w", m.Name, err))
		return nil
	}
	if !report.Complaint() {
		return nil
	}
	return im.take(ctx, report.Record())
}

func (a *app) signalsListCommand() *cobra.Command {
	q := &query{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "What outside sources said, the latest first",
		Args:  cobra.NoArgs,
	}
	q.flags(cmd)
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		an, done, err := a.open(cmd.Context(), q)
		if err != nil {
			return err
		}
		defer done()
		list, err := an.Signals(cmd.Context())
		if err != nil {
			return storeStatus(err)
		}
		list = slices.DeleteFunc(list, func(s store.Signal) bool { return !q.wants(s.IP, s.Receiver) })
		slices.Reverse(list)
		if len(list) == 0 {
			a.complain(errors.New("no signals; see: repute signals --help"))
		}
		return printRows(a.out, *format, signalColumns(), seq(list))
	}
	return cmd
}

func signalColumns() []column[store.Signal] {
	type s = store.Signal
	return []column[s]{
		{"day", func(v s) any { return time.Unix(v.Day, 0).UTC().Format(time.DateOnly) }, nil},
		{"kind", func(v s) any { return v.Kind.String() }, nil},
		{"ip", func(v s) any { return v.IP }, nil},
		{"receiver", func(v s) any { return v.Receiver }, nil},
		{"sender_domain", func(v s) any { return v.SenderDomain }, nil},
		{"n", func(v s) any { return v.N }, nil},
		{"k", func(v s) any { return v.K }, nil},
		{"value", func(v s) any { return v.Value }, func(v s) string { return valueWord(&v) }},
		{"verified", func(v s) any { return v.Verified }, func(v s) string { return yes(v.Verified) }},
		{"source", func(v s) any { return v.Source }, nil},
		{"detail", func(v s) any { return v.Detail }, func(v s) string { return reports.Printable(v.Detail) }},
	}
}

// valueWord leaves the value out where the kind has none.
func valueWord(s *store.Signal) string {
	switch s.Kind {
	case delivery.SignalSpamRate, delivery.SignalErrorRate:
		return fmt.Sprintf("%.2f%%", 100*s.Value)
	case delivery.SignalGPT, delivery.SignalSNDS, delivery.SignalTalos, delivery.SignalSenderScore:
		return fmt.Sprintf("%g", s.Value)
	}
	return ""
}
