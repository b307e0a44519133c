// Command rollup measures what a report asks the database: hourly first
// outcomes of all sending IPs and receivers, from the rollup and from the
// events themselves, at several sizes with the same cells.
//
//	go run ./internal/bench/rollup -events 20000000,100000000
//
// The events are made by SQL in the real schema. 100 million take 5 GB.
package main

import (
	"context"
	"database/sql"
	_ "embed"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"repute/internal/bench/year"
	"repute/internal/store"
)

//go:embed events.sql
var events string

// raw and hourly ask the same, of the events and of the rollup.
//
//go:embed raw.sql
var raw string

//go:embed hourly.sql
var hourly string

func main() {
	sizes := flag.String("events", "2000000,10000000", "how many, a database each")
	days, ips, receivers := flag.Int("days", 28, "of events"), flag.Int("ips", 8, "sending IPs"), flag.Int("receivers", 40, "receivers")
	merged := flag.Bool("merged", true, "add the rows of each cell up first, as a day's retention does")
	flag.Parse()
	dir, err := os.MkdirTemp("", "repute-bench-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, size := range strings.Split(*sizes, ",") {
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			log.Fatal(err)
		}
		world := strings.NewReplacer("$events", size, "$days", fmt.Sprint(*days), "$origins", fmt.Sprint(*ips), "$receivers", fmt.Sprint(*receivers),
			"$start", fmt.Sprint(year.Start.Unix()))
		path := filepath.Join(dir, "r.duckdb")
		if err := build(path, world.Replace(events)); err != nil {
			log.Fatal(err)
		}
		if err := measure(path, n, *merged); err != nil {
			log.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			log.Fatal(err)
		}
	}
}

// build makes a database in our schema and fills it.
func build(path, script string) error {
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		return err
	}
	defer db.Close()
	for _, q := range strings.Split(script, ";\n") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		if _, err := db.Exec(q); err != nil {
			return fmt.Errorf("%.60s: %w", q, err)
		}
	}
	return nil
}

func measure(path string, events int64, merged bool) error {
	ctx := context.Background()
	s, err := store.Open(ctx, path, store.Options{Threads: 1})
	if err != nil {
		return err
	}
	defer s.Close()
	if merged {
		if err := s.MergeEvidence(ctx, 1<<40); err != nil {
			return err
		}
	}
	var t times
	cells := int64(0)
	if t.read, err = best(func() error {
		cells = 0
		for _, err := range s.Evidence(ctx, 0, 1<<40, false) {
			if err != nil {
				return err
			}
			cells++
		}
		return nil
	}); err != nil {
		return err
	}
	var rollup, fromEvents [2]int64
	if t.rollup, err = best(func() error { return ask(ctx, s, hourly, &rollup) }); err != nil {
		return err
	}
	if t.events, err = best(func() error { return ask(ctx, s, raw, &fromEvents) }); err != nil {
		return err
	}
	if rollup != fromEvents || rollup[1] == 0 {
		return fmt.Errorf("%v rows and first outcomes in the rollup, %v among the events", rollup, fromEvents)
	}
	fmt.Printf("%d events, %d cells: from the rollup %.3f s of CPU, from the events %.3f s: %.1f ×; all cells handed over to the model %.2f s\n",
		events, cells, t.rollup.Seconds(), t.events.Seconds(), t.events.Seconds()/t.rollup.Seconds(), t.read.Seconds())
	return nil
}

type times struct{ read, rollup, events time.Duration }

// ask runs a query within the database, which adds its rows up.
func ask(ctx context.Context, s *store.Store, q string, sums *[2]int64) error {
	return s.Each(ctx, "SELECT count(*), sum(n)::BIGINT FROM ("+q+")", func(r *sql.Rows) error { return r.Scan(&sums[0], &sums[1]) })
}

// best is the least CPU time of seven runs.
func best(run func() error) (time.Duration, error) {
	least := time.Duration(0)
	for range 7 {
		before := cpu()
		if err := run(); err != nil {
			return 0, err
		}
		if took := cpu() - before; least == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		log.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
