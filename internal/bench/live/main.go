// Command live measures what new scores cost a follower whose database holds a
// year of many pairs.
//
//	go run ./internal/bench/live -ips 40 -receivers 250 -weeks 52
//
// It makes a database of hourly evidence, adds the outcomes of a second again
// and again, and prints the processor time of the inference after each: from
// all evidence, and as the follower does it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/bench/year"
	"repute/internal/store"
	"repute/rules"
)

func main() {
	ips, receivers, weeks := flag.Int("ips", 40, "sending IPs"), flag.Int("receivers", 250, "receivers"), flag.Int("weeks", 52, "weeks of evidence")
	refreshes := flag.Int("refreshes", 5, "how often scores are made anew")
	full := flag.Bool("full", true, "measure all evidence, too")
	db := flag.String("db", "", "keep the database in this `file`, or use it where it is there")
	flag.Parse()
	path := *db
	if path == "" {
		dir, err := os.MkdirTemp("", "repute-bench-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, "bench.duckdb")
	}
	if _, err := os.Stat(path); err != nil {
		cells, err := year.Build(path, *ips, *receivers, *weeks)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d IPs, %d receivers, %d weeks: %d hourly cells\n", *ips, *receivers, *weeks, cells)
	}
	if err := measure(path, *ips, *receivers, *weeks, *refreshes, *full); err != nil {
		log.Fatal(err)
	}
}

func measure(path string, ips, receivers, weeks, refreshes int, full bool) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	set, err := rules.Default()
	if err != nil {
		return err
	}
	refresh := func(run func(*analysis.Analysis) (analysis.Result, error)) error {
		if err := second(ctx, s, ips, receivers, weeks); err != nil {
			return err
		}
		before, began := used(), time.Now()
		a, err := analysis.New(ctx, s, set, nil, inference.Defaults(), time.Time{})
		if err != nil {
			return err
		}
		r, err := run(a)
		if err == nil {
			fmt.Printf("  %.2f s of processor time, %.2f s by the clock: %d estimates, %d changes\n", (used() - before).Seconds(), time.Since(began).Seconds(), len(r.Estimates), len(r.Changes))
		}
		return err
	}
	if full {
		fmt.Println("from all evidence")
		if err := refresh(func(a *analysis.Analysis) (analysis.Result, error) { return a.Run(ctx, false) }); err != nil {
			return err
		}
	}
	fmt.Println("as the follower does it")
	var live analysis.Live
	for range refreshes {
		if err := refresh(func(a *analysis.Analysis) (analysis.Result, error) { return live.Run(ctx, a) }); err != nil {
			return err
		}
	}
	return nil
}

// second adds what a second of much mail brings: a first outcome for each of a
// hundred pairs, in the last hour.
func second(ctx context.Context, s *store.Store, ips, receivers, weeks int) error {
	streams, err := s.Streams(ctx)
	if err != nil {
		return err
	}
	b := &store.Batch{Stream: streams[0], From: streams[0].Bytes, Lines: 100}
	b.Stream.Bytes++
	for i := range 100 {
		r := int32(i%min(receivers, 25) + 1)
		b.Counts = append(b.Counts, store.Count{
			Hour: year.Start.AddDate(0, 0, 7*weeks).Unix() - 3600, Origin: int32(i%ips + 1), Receiver: r, Domain: r,
			N: 1, What: store.OutcomeOf(delivery.ClassAccepted),
		})
	}
	return s.Commit(ctx, b)
}

// used is the process' processor time so far.
func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
