package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"repute/internal/analysis"
	"repute/internal/follow"
	"repute/internal/ingest"
	"repute/internal/serve"
	"repute/internal/source"
	"repute/internal/store"
	"repute/parser/all"
	"repute/rules"
)

func (a *app) followCommand() *cobra.Command {
	var db, metrics string
	cmd := &cobra.Command{
		Use:   "follow FILE...",
		Short: "Read logs while they are written; infer, alert, serve the other commands",
		Long: `follow reads logs as they grow, for years. It goes on where it ended, through
any number of rotations that it missed, compressed or not; it waits for logs
that are not there yet; it reads a renamed log until its writer is done with it.

Beside files, FILE may be systemd's journal, "journald:" or only a unit of it,
"journald:postfix@-.service" (from journalctl, by its cursor), and "-", standard
input: what was not taken in when repute ends is not read again there.

It owns the database. The commands that read (scores, changes, explain, trace,
plan, report, signals list, db info, doctor, rules gaps) go through the socket
beside the database by themselves, with the same output.

SIGHUP reads configuration and rules anew. SIGTERM ends it; all that was read is
committed. docs/follow.md has the systemd unit, the metrics and the alerts.

Exit status: 0 ended by a signal, or standard input ended and there is no other
log, 2 usage, 74 damaged database, 75 database in use.`,
		Example: `  repute follow /var/log/mail.log --metrics 127.0.0.1:9177
  repute follow journald:postfix@-.service`,
		Args: cobra.MinimumNArgs(1),
	}
	cmd.Flags().StringVar(&db, "db", "", "database `file` (default repute.duckdb)")
	cmd.Flags().StringVar(&metrics, "metrics", "", "serve Prometheus metrics and /healthz at this `address` of this machine")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		meter, err := metricsListener(metrics)
		if err != nil {
			return err
		}
		err = a.follow(cmd.Context(), db, args, meter)
		if ctx := cmd.Context(); ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // a signal at the start ends it as one later does
		}
		return err
	}
	return cmd
}

// metricsListener opens the metrics' port; nil where none is wanted.
func metricsListener(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil
	}
	at, err := netip.ParseAddrPort(strings.Replace(address, "localhost:", "127.0.0.1:", 1))
	if err != nil || !at.Addr().IsLoopback() {
		return nil, usagef("--metrics %s: write an address of this machine, 127.0.0.1:9177; the metrics are not for strangers", address)
	}
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return nil, withStatus(exitTryAgain, err)
	}
	return l, nil
}

// follower is the process that follows.
type follower struct {
	*app
	path    string
	files   []string
	store   *store.Store
	key     []byte
	using   sync.RWMutex // held while a command reads the database
	mu      sync.Mutex
	reading *reading
}

// socket is where the other commands are served.
func (f *follower) socket() string { return f.path + ".sock" }

func (a *app) follow(ctx context.Context, db string, files []string, metrics net.Listener) error {
	if err := followable(files); err != nil {
		return err
	}
	r, err := a.newReading()
	if err != nil {
		return err
	}
	a.outbox = &sync.Mutex{}
	f := &follower{app: a, path: a.database(db, r), files: files}
	if err := serve.Fits(f.socket()); err != nil {
		return withStatus(exitUsage, err)
	}
	o := limits(&r.cfg)
	o.Lasting = true
	if f.store, err = a.ownStore(ctx, f.path, o); err != nil {
		return err
	}
	defer f.store.Close()
	if f.key, err = hashKey(ctx, f.store); err != nil {
		return storeStatus(err)
	}
	socket, err := serve.Listen(f.socket())
	if err != nil {
		return withStatus(exitTryAgain, err)
	}
	meter := follow.NewMeter()
	var input *source.Pipe
	if slices.Contains(files, source.Stdin) {
		input = source.NewPipe(a.in, nil)
		defer input.Close()
	}
	alerts := follow.NewAlerts(f.desk, f.sendMail, a.log)
	reload, done := reloads(ctx)
	defer done()
	d, err := follow.New(ctx, follow.Options{
		Paths: files, Input: input, Store: f.store, Load: f.load, Reload: reload, Log: a.log, Meter: meter,
		Ready: func() {
			a.log.Info("caught up", "database", f.path)
			f.notify("READY=1")
		},
		Alive: f.alive(meter),
		Silence: func(ctx context.Context, since time.Time) {
			a.log.Warn("no lines for longer than usual", "since", since.Format(time.RFC3339))
			alerts.Silence(ctx, since)
		},
		Scored: alerts.Scored, Committed: alerts.Committed, Using: &f.using,
	})
	if err != nil {
		return errors.Join(err, socket.Close())
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { alerts.Run(ctx) })
	wg.Go(func() { a.say("socket", serve.Serve(ctx, socket, f.answer)) })
	if metrics != nil {
		wg.Go(func() { a.say("metrics", meter.Serve(ctx, metrics)) })
	}
	err = d.Run(ctx)
	f.notify("STOPPING=1")
	a.log.Info("stopped")
	return err
}

// lockPatience is how long a command that reads may keep one that writes
// waiting.
const lockPatience = 10 * time.Second

// ownStore opens the database, and waits a little where somebody has it who
// will soon be done: not a daemon, which serves.
func (a *app) ownStore(ctx context.Context, path string, o store.Options) (*store.Store, error) {
	if err := lasting(path); err != nil {
		return nil, err
	}
	for until, told := time.Now().Add(lockPatience), false; ; {
		s, err := store.Open(ctx, path, o)
		err = storeStatus(err)
		var locked *store.LockedError
		if !errors.As(err, &locked) || time.Now().After(until) {
			return s, err
		}
		if daemon, err := net.Dial("unix", path+".sock"); err == nil {
			return nil, errors.Join(storeStatus(locked), daemon.Close())
		}
		if !told {
			told = true
			a.log.Info("waiting for the database", "why", locked)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// followable tells what can't be followed. What is not there yet can.
func followable(paths []string) error {
	seen := map[string]bool{}
	for _, path := range paths {
		if seen[path] {
			return usagef("%q is named twice", path)
		}
		seen[path] = true
		if path == source.Stdin || source.IsJournal(path) {
			continue
		}
		if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
			return usagef("%q is not a regular file; name each log", path)
		}
	}
	return nil
}

func (a *app) say(what string, err error) {
	if err != nil {
		a.log.Error(what, "why", err)
	}
}

// reloads turns SIGHUP into a channel.
func reloads(ctx context.Context) (<-chan struct{}, func()) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	out := make(chan struct{})
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hup:
			}
			select {
			case <-ctx.Done():
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out, func() { signal.Stop(hup) }
}

func (f *follower) notify(state string) { f.say("systemd", follow.Notify(f.env, state)) }

// alive tells systemd's watchdog and the metrics that there is progress.
func (f *follower) alive(m *follow.Meter) func() {
	every := follow.WatchdogEvery(f.env)
	var last time.Time
	return func() {
		m.Alive()
		if every > 0 && time.Since(last) >= every {
			last = time.Now()
			f.notify("WATCHDOG=1")
		}
	}
}

// load reads configuration and rules.
func (f *follower) load(ctx context.Context) (*follow.Loaded, error) {
	r, err := f.newReading()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(checkAlerts(&r.cfg), adoptZone(ctx, &r.cfg, f.store, f.files), f.applyRules(ctx, r.rules)); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.reading = r
	f.mu.Unlock()
	return &follow.Loaded{
		Keep: retention(&r.cfg),
		Ingest: ingest.Options{
			Formats: all.Formats(), Rules: r.rules, Store: f.store, Zone: zone(&r.cfg), Year: r.cfg.Time.Year, Key: f.key,
		},
		Analysis: func(ctx context.Context) (*analysis.Analysis, error) {
			return analysis.New(ctx, f.store.Lend(), r.rules, senderRules(&r.cfg), model(&r.cfg), time.Now())
		},
	}, nil
}

// applyRules books what is in the database by the rules of now. Nothing else
// writes evidence meanwhile: at the start and at a reload nobody follows.
func (f *follower) applyRules(ctx context.Context, set *rules.Set) error {
	kept, err := f.store.Meta(ctx, ingest.RulesMeta)
	if err != nil { // a new database
		return f.store.SetMeta(ctx, ingest.RulesMeta, set.Version())
	}
	if kept == set.Version() {
		return nil
	}
	done, err := ingest.Relabel(ctx, f.store, set, false)
	if err != nil {
		return err
	}
	f.log.Info("the rules are others than the database's: applied", "replies", done.Changed, "attempts", done.Attempts, "first_outcomes", done.First)
	return nil
}

// lentCommands are those that only read the database.
var lentCommands = []string{"scores", "changes", "explain", "trace", "plan", "report", "signals list", "db info", "doctor", "rules gaps"}

// answer runs a reading command for another process.
func (f *follower) answer(ctx context.Context, args []string, r *serve.Reply) int {
	f.mu.Lock()
	reading := f.reading
	f.mu.Unlock()
	a := &app{
		in: strings.NewReader(""), out: r.Out(), err: r.Err(), env: f.env, writeFile: r.File, outbox: f.outbox,
		lent: f.store.Lend(), lentReading: reading,
	}
	root := a.root()
	root.SetArgs(args)
	cmd, _, err := root.Find(args)
	if err != nil || !slices.Contains(lentCommands, strings.TrimPrefix(cmd.CommandPath(), "repute ")) {
		fmt.Fprintf(a.err, "repute: the database is in use by repute follow; only %s go through it\n", strings.Join(lentCommands, ", "))
		return exitTryAgain
	}
	f.using.RLock()
	defer f.using.RUnlock()
	return a.finish(ctx, root.ExecuteContext(ctx))
}

// askOwner runs a command that found the database in use within the process
// that uses it, if that serves.
func (a *app) askOwner(ctx context.Context, err error, args []string) (status int, served bool) {
	var locked *store.LockedError
	if !errors.As(err, &locked) {
		return 0, false
	}
	status, asked := serve.Ask(ctx, locked.Path+".sock", args, a.out, a.err, writeFile)
	if errors.Is(asked, serve.ErrNobody) {
		return 0, false
	}
	if asked != nil {
		return a.finish(ctx, withStatus(exitTryAgain, asked)), true
	}
	return status, true
}
