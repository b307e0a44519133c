package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"repute/inference"
	"repute/internal/config"
	"repute/internal/ingest"
	"repute/internal/sender"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser"
	"repute/parser/all"
	"repute/reports"
	"repute/rules"
)

// loadConfig reads the configuration; what is wrong in it is a usage error.
func (a *app) loadConfig() (config.Config, error) {
	cfg, err := config.Load(a.configPath, a.env)
	if err != nil {
		return cfg, withStatus(exitUsage, err)
	}
	return cfg, nil
}

func (a *app) loadRules() (*rules.Set, error) {
	var set *rules.Set
	var err error
	if a.rulesDir == "" {
		set, err = rules.Default()
	} else {
		set, err = rules.Load(a.rulesDir)
	}
	if err != nil {
		return nil, withStatus(exitUsage, err)
	}
	return set, nil
}

// zone is that of stamps which name none, and of days.
func zone(cfg *config.Config) *time.Location {
	if cfg.Time.Zone.Location != nil {
		return cfg.Time.Zone.Location
	}
	return time.Local
}

// adoptZone takes the zone that the logs' own stamps name where none is
// configured, and keeps it with the database: the days of `scores` are those
// of the logs.
func adoptZone(ctx context.Context, cfg *config.Config, s *store.Store, files []string) error {
	if cfg.Time.Zone.Location != nil {
		return nil
	}
	z, ok := source.ZoneOf(files)
	if s == nil {
		if ok {
			cfg.Time.Zone.Location = z
		}
		return nil
	}
	kept, err := s.Meta(ctx, "zone")
	switch {
	case err == nil: // days don't move once they are told
		ok = true
		t, err := time.Parse("-07:00", kept)
		if err != nil {
			return err
		}
		_, seconds := t.Zone()
		z = time.FixedZone(kept, seconds)
	case ok:
		if err := s.SetMeta(ctx, "zone", z.String()); err != nil {
			return err
		}
	}
	if ok {
		cfg.Time.Zone.Location = z
	}
	return nil
}

// senderRules are the [[sender]] entries.
func senderRules(cfg *config.Config) []sender.Rule {
	var out []sender.Rule
	for _, s := range cfg.Senders {
		out = append(out, sender.Rule{
			Host: s.Host, Tag: s.Tag, Transport: s.Transport, Domain: s.SenderDomain, IP: s.IP, Pool: s.Pool,
		})
	}
	return out
}

// model is the inference's configuration.
func model(cfg *config.Config) inference.Config {
	m := inference.Defaults()
	m.Zone = zone(cfg)
	for _, n := range cfg.Networks {
		m.Networks = append(m.Networks, inference.Network{Name: n.Name, CIDR: n.CIDR})
	}
	return m
}

// openStore opens the database, or with create makes it, and gives its errors
// their exit status.
func (a *app) openStore(ctx context.Context, path string, create bool, cfg *config.Config) (*store.Store, error) {
	if a.lent != nil {
		return a.lent.Lend(), nil
	}
	if !create {
		if err := lasting(path); err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, usagef("there is no database %q yet; make it with: repute ingest --db %s FILE…", path, path)
		}
	}
	o := limits(cfg)
	o.ReadOnly = !create && !writable(path)
	s, err := store.Open(ctx, path, o)
	return s, storeStatus(err)
}

// lasting refuses a database that would be gone with the command, where that is
// all the command is for: it would take logs for read, or answer from nothing.
func lasting(path string) error {
	if path != store.Memory {
		return nil
	}
	return usagef("a database %q is gone when the command ends: name a file with --db; to read logs, report and keep nothing there is repute analyze", path)
}

// limits are what the configuration lets the database use.
func limits(cfg *config.Config) store.Options {
	return store.Options{MemoryLimit: int64(cfg.Store.MemoryLimit), Threads: cfg.Store.Threads}
}

// writable tells whether a database can be written: its log of changes is
// made beside it.
func writable(path string) bool {
	const write = 2
	return syscall.Access(path, write) == nil && syscall.Access(filepath.Dir(path), write) == nil
}

// openDatabase opens a database that is there, with the configuration and rules
// of a command.
func (a *app) openDatabase(ctx context.Context, db string) (*store.Store, *reading, error) {
	r, err := a.newReading()
	if err != nil {
		return nil, nil, err
	}
	s, err := a.openStore(ctx, a.database(db, r), false, &r.cfg)
	return s, r, err
}

// storeStatus gives a store's error its exit status.
func storeStatus(err error) error {
	var locked *store.LockedError
	var damaged *store.DamagedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &locked):
		return withStatus(exitTryAgain, err)
	case errors.Is(err, store.ErrName):
		return withStatus(exitUsage, err)
	case errors.As(err, &damaged):
		return withStatus(exitIO, err)
	case errors.Is(err, fs.ErrPermission):
		return withStatus(exitIO, err)
	case strings.Contains(err.Error(), "read-only mode"): // DuckDB's words
		return withStatus(exitIO, errors.New("the database, or the folder that it is in, can't be written by this user: nothing is changed"))
	}
	return err
}

// hashKey returns the database's key for hashes of addresses, and makes it
// for a new one.
func hashKey(ctx context.Context, s *store.Store) ([]byte, error) {
	if v, err := s.Meta(ctx, "hash_key"); err == nil {
		return hex.DecodeString(v)
	}
	key := make([]byte, 16)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, s.SetMeta(ctx, "hash_key", hex.EncodeToString(key))
}

// reading is what all commands that read logs share.
type reading struct {
	cfg   config.Config
	rules *rules.Set
}

func (a *app) newReading() (*reading, error) {
	if a.lentReading != nil {
		r := *a.lentReading
		return &r, nil
	}
	cfg, err := a.loadConfig()
	if err != nil {
		return nil, err
	}
	set, err := a.loadRules()
	return &reading{cfg, set}, err
}

// ingest reads files and tells on stderr what could not be read.
func (a *app) ingest(ctx context.Context, r *reading, args []string, o ingest.Options) (ingest.Report, error) {
	files, errs := source.Expand(args)
	for _, err := range errs {
		a.complain(err)
	}
	if o.Store != nil {
		if err := a.checkRules(ctx, o.Store, r.rules); err != nil {
			return ingest.Report{}, storeStatus(err)
		}
	}
	if err := adoptZone(ctx, &r.cfg, o.Store, files); err != nil {
		return ingest.Report{}, storeStatus(err)
	}
	o.Formats, o.Rules, o.Zone, o.Year, o.Stdin = all.Formats(), r.rules, zone(&r.cfg), r.cfg.Time.Year, a.in
	files = ingest.OldestFirst(files, o)
	bar := a.progress(files)
	o.Progress = func(taken int64) { _ = bar.Set64(taken) }
	report, err := ingest.Run(ctx, files, o)
	_ = bar.Finish()
	for i := range report.Files {
		f := &report.Files[i]
		switch {
		case f.Err != nil:
			a.complain(f.Err)
		case f.Again:
			fmt.Fprintf(a.err, "repute: %s: already read, nothing new\n", reports.Printable(f.Path))
		}
	}
	if err != nil {
		return report, storeStatus(err)
	}
	return report, readStatus(&report, len(errs))
}

// complain tells an error on stderr; several that were joined, or a picture of
// a place in a file, take a line each.
func (a *app) complain(err error) {
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			fmt.Fprintln(a.err, "repute:", reports.Printable(strings.ReplaceAll(line, "\t", "  ")))
		}
	}
}

// readStatus is the promise of the exit status: 3 where files were read and
// nothing was recognised in any, 1 where some inputs failed.
func readStatus(r *ingest.Report, failed int) error {
	recognised, strange := false, false
	for i := range r.Files {
		f := &r.Files[i]
		if f.Err != nil {
			failed++
		}
		recognised = recognised || f.Format != ""
		strange = strange || errors.Is(f.Err, parser.ErrNotRecognised)
	}
	switch {
	case !recognised && strange:
		return &exitError{status: exitNothing}
	case failed > 0:
		return &exitError{status: exitPartial}
	}
	return nil
}

// progress is a bar on a terminal and nothing elsewhere.
func (a *app) progress(files []string) *progressbar.ProgressBar {
	var total int64
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			total += info.Size()
		}
	}
	out := io.Discard
	if f, ok := a.err.(*os.File); ok && isTerminal(f) {
		out = f
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(out), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("reading"), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	_ = bar.Set64(0) // its clock starts
	return bar
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
