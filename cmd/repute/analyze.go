package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"repute/internal/analysis"
	"repute/internal/config"
	"repute/internal/ingest"
	"repute/internal/store"
	"repute/reports"
	"repute/reports/page"
	"repute/reports/words"
)

func (a *app) analyzeCommand() *cobra.Command {
	var db, out, lang string
	cmd := &cobra.Command{
		Use:   "analyze FILE...",
		Short: "Read logs, infer, print the gist, write report.html; no set-up",
		Long: `analyze reads logs (files, folders, globs; plain, gz, zst, xz, bz2), infers
every sending IP's reputation at every receiver, prints about twenty lines and
writes a report that opens in any browser without a network.

Nothing else is kept; --db keeps the database for the other commands.

Exit status: 0 ok, 1 some inputs failed, 2 usage, 3 nothing recognised,
74 damaged database, 75 database in use or disk full, 130 interrupted.`,
		Example: "  repute analyze /var/log/mail.log*\n  repute analyze --config repute.toml /var/log/exim4",
		Args:    cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&db, "db", store.Memory, "keep the database in this `file`")
	cmd.Flags().StringVar(&out, "out", "report.html", "write the report to this `file`; \"\" writes none")
	langFlag(cmd, &lang)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		r, err := a.newReading()
		if err != nil {
			return err
		}
		w, err := language(lang, &r.cfg)
		if err != nil {
			return err
		}
		s, err := a.openStore(cmd.Context(), db, true, &r.cfg)
		if err != nil {
			return err
		}
		defer s.Close()
		report, readErr := a.ingestInto(cmd.Context(), r, s, args)
		if readErr != nil && exitStatus(cmd.Context(), readErr) != exitPartial {
			return readErr
		}
		if err := nothingRead(&report, readErr); err != nil {
			return err
		}
		return errors.Join(readErr, a.tell(cmd.Context(), r, s, w, out))
	}
	return cmd
}

// nothingRead refuses to report on nothing: a report of zeros is a lie.
func nothingRead(r *ingest.Report, readErr error) error {
	t := r.Total()
	again := false
	for i := range r.Files {
		again = again || r.Files[i].Again
	}
	if t.Attempts > 0 || again {
		return nil
	}
	if t.Lines == 0 && readErr != nil { // why is said already
		return readErr
	}
	return withStatus(exitNothing, fmt.Errorf("no delivery attempt found in %d lines; the report is not written", t.Lines))
}

// tell prints the gist and writes the page.
func (a *app) tell(ctx context.Context, r *reading, s *store.Store, w *words.Words, out string) error {
	an, err := analysis.New(ctx, s, r.rules, senderRules(&r.cfg), model(&r.cfg), time.Now())
	if err != nil {
		return storeStatus(err)
	}
	a.sayAhead(an)
	f, err := an.Findings(ctx, time.Time{}, time.Time{})
	if err != nil {
		return storeStatus(err)
	}
	if len(f.Pairs) == 0 {
		return withStatus(exitNothing, errors.New("no first outcome of any delivery found; the report is not written"))
	}
	if err := reports.Gist(a.out, f, w); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	if err := a.writePage(out, f, w); err != nil {
		return err
	}
	fmt.Fprintln(a.out, reports.Printable(w.Say("gist.written", "file", out)))
	return nil
}

// writePage writes the page, or hands it over where another process asked for it.
func (a *app) writePage(path string, f *reports.Findings, w *words.Words) error {
	var b bytes.Buffer
	if err := page.HTML(&b, f, w); err != nil {
		return err
	}
	return a.writeFile(path, b.Bytes())
}

// langFlag adds --lang.
func langFlag(cmd *cobra.Command, lang *string) {
	cmd.Flags().StringVar(lang, "lang", "", "`language` of the report: "+strings.Join(words.Languages(), ", ")+" (default [report] lang, else en)")
}

// language finds the words of a report: those of the flag, else the
// configuration's.
func language(flag string, cfg *config.Config) (*words.Words, error) {
	if flag == "" {
		flag = cfg.Report.Lang
	}
	w, err := words.For(flag)
	if err != nil {
		return nil, withStatus(exitUsage, err)
	}
	return w, nil
}

// writeFile writes a file beside its place first, so that a reader never sees
// half of it, and a link that somebody left there is replaced, not followed.
func writeFile(path string, data []byte) (err error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return writeThrough(path, data)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".repute-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// writeThrough writes to what is no file, and what a file must not take the
// place of: a device, a pipe.
func writeThrough(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
