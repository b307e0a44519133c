// Package follow is the daemon: it reads logs while they are written, infers
// after each batch, tells metrics and alerts, and lasts for years.
package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/internal/source"
	"repute/internal/store"
)

// Options are what the daemon needs.
type Options struct {
	Paths []string
	Input *source.Pipe // standard input, for the path "-"
	Store *store.Store
	// Load reads configuration and rules, at the start and at each reload.
	Load   func(ctx context.Context) (*Loaded, error)
	Reload <-chan struct{}
	Log    *slog.Logger
	Meter  *Meter
	// Scored is called after each inference, never twice at a time.
	Scored func(ctx context.Context, a *analysis.Analysis, r *analysis.Result)
	// Silence is called when no line came for longer than is usual.
	Silence func(ctx context.Context, since time.Time)
	// Committed is called after each transaction that took in lines.
	Committed func(ctx context.Context, c *ingest.Committed)
	// Using is held by whoever else reads much from the store.
	Using *sync.RWMutex
	// Ready is called once everything that was missed is read.
	Ready func()
	// Alive is called while the daemon makes progress.
	Alive func()
	Now   func() time.Time // nil: time.Now
}

// Loaded is what configuration and rules come to.
type Loaded struct {
	Ingest   ingest.Options
	Keep     store.Keep
	Analysis func(ctx context.Context) (*analysis.Analysis, error)

	live analysis.Live // by these rules and this configuration
}

// How the daemon takes its time.
const (
	commitEvery = 500 * time.Millisecond // a transaction a file
	poll        = 250 * time.Millisecond
	grace       = 15 * time.Second // quiet, after which a rotated file is complete
	firstDelay  = time.Second      // before the follower is started again after an error
	lastDelay   = time.Minute
)

// Daemon follows until its context ends.
type Daemon struct {
	o      Options
	beat   *heartbeat
	keep   keeper
	tidier tidier

	mu     sync.Mutex
	loaded *Loaded
	dirty  chan struct{} // capacity 1: there is new evidence
}

// New returns a daemon; it loads configuration and rules once, so that what is
// wrong with them is told before anything runs.
func New(ctx context.Context, o Options) (*Daemon, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Using == nil {
		o.Using = new(sync.RWMutex)
	}
	if o.Alive == nil {
		o.Alive = func() {}
	}
	d := &Daemon{o: o, beat: newHeartbeat(o.Now()), dirty: make(chan struct{}, 1)}
	var err error
	d.loaded, err = o.Load(ctx)
	d.changed()
	return d, err
}

// Run follows until the context ends, or standard input where there is nothing
// else; all that was read is then committed.
func (d *Daemon) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	wg.Go(func() { d.score(ctx) })
	delay := firstDelay
	for {
		started := time.Now()
		err := d.follow(ctx)
		if ctx.Err() != nil || err == nil {
			return nil
		}
		if errors.Is(err, errReload) {
			d.reload(ctx)
			continue
		}
		if time.Since(started) > lastDelay {
			delay = firstDelay
		}
		d.o.Log.Error("following stopped; it goes on where the last transaction ended", "why", err, "in", delay)
		d.o.Meter.failed()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(2*delay, lastDelay)
	}
}

var errReload = errors.New("reload")

// follow runs one follower, until it fails or configuration is to be read anew.
func (d *Daemon) follow(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case <-d.o.Reload:
			stop(errReload)
		case <-ctx.Done():
		}
	}()
	caughtUp := false
	o := ingest.FollowOptions{
		Options: d.current().Ingest, Log: d.o.Log, Every: commitEvery, Grace: grace, Poll: poll, Input: d.o.Input,
		OnCommit: func(c ingest.Committed) {
			d.beat.lines(d.o.Now(), c.Lines)
			d.tidier.new = true
			d.o.Meter.committed(&c)
			if d.o.Committed != nil {
				d.o.Committed(ctx, &c)
			}
			d.changed()
		},
		Between: func(ctx context.Context, busy bool) error {
			d.o.Alive()
			if !busy && !caughtUp && d.o.Ready != nil {
				d.o.Ready()
			}
			caughtUp = caughtUp || !busy
			if since, ok := d.beat.silent(d.o.Now()); ok && d.o.Silence != nil {
				d.o.Silence(ctx, since)
			}
			d.retain(ctx)
			d.tidy(ctx)
			return nil
		},
	}
	o.OnEvent = d.o.Meter.event
	o.Progress = func(int64) { d.o.Alive() } // a backlog may take long
	f, err := ingest.NewFollower(ctx, d.o.Paths, o)
	if err == nil {
		err = f.Run(ctx)
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(cause, errReload) {
		return errReload
	}
	return err
}

func (d *Daemon) current() *Loaded {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.loaded
}

// reload takes new configuration and rules, or keeps the old ones.
func (d *Daemon) reload(ctx context.Context) {
	var loaded *Loaded
	err := d.busy(func() (err error) {
		loaded, err = d.o.Load(ctx)
		return err
	})
	if err != nil {
		d.o.Log.Error("not reloaded; the old configuration stays", "why", err)
		return
	}
	d.mu.Lock()
	d.loaded = loaded
	d.mu.Unlock()
	d.changed()
	d.o.Log.Info("configuration and rules reloaded")
}

// changed tells that there is something new to infer from.
func (d *Daemon) changed() {
	select {
	case d.dirty <- struct{}{}:
	default:
	}
}

// scoreShare bounds the inference to a part of one core: after a run that took
// a second of it, it rests for twenty. leastRest is how long a line may wait
// for the next.
const scoreShare, leastRest = 20, 500 * time.Millisecond

// score infers after new evidence came, as often as it may.
func (d *Daemon) score(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.dirty:
		}
		start, used := time.Now(), processorTime()
		if err := d.scoreOnce(ctx); err != nil && ctx.Err() == nil {
			d.o.Log.Error("not inferred", "why", err)
		}
		// On a busy machine much time goes by with little done.
		rest := max(leastRest, scoreShare*min(time.Since(start), processorTime()-used))
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
	}
}

// processorTime is what the process has used; reading the log goes on while
// scores are made, and counts with them.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (d *Daemon) scoreOnce(ctx context.Context) error {
	d.o.Using.RLock()
	defer d.o.Using.RUnlock()
	start := time.Now()
	loaded := d.current()
	a, err := loaded.Analysis(ctx)
	if err != nil {
		return err
	}
	r, err := loaded.live.Run(ctx, a)
	if err != nil {
		return fmt.Errorf("inference: %w", err)
	}
	d.o.Meter.scored(&r, time.Since(start))
	if info, err := d.o.Store.Size(ctx); err == nil {
		d.o.Meter.size(info)
	}
	if d.o.Scored != nil {
		d.o.Scored(ctx, a, &r)
	}
	return nil
}
