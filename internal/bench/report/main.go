// Command report measures a report over a year of evidence of many pairs.
//
//	go run ./internal/bench/report -ips 40 -receivers 250 -weeks 52
//
// It makes a database of hourly evidence, then runs the report of the last
// week as a process of its own and prints its time, its memory and the page's
// size.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/bench/year"
	"repute/internal/store"
	"repute/reports/page"
	"repute/reports/words"
	"repute/rules"
)

func main() {
	ips, receivers, weeks := flag.Int("ips", 40, "sending IPs"), flag.Int("receivers", 250, "receivers"), flag.Int("weeks", 52, "weeks of evidence")
	db := flag.String("db", "", "only report, from this `file`")
	out := flag.String("out", "", "keep the page in this `file`")
	cpu := flag.String("cpuprofile", "", "write the report's processor profile to this `file`")
	flag.Parse()
	if *db != "" {
		if *cpu != "" {
			f, err := os.Create(*cpu)
			if err != nil {
				log.Fatal(err)
			}
			if err := pprof.StartCPUProfile(f); err != nil {
				log.Fatal(err)
			}
			defer pprof.StopCPUProfile()
		}
		if err := report(*db, *out, *weeks); err != nil {
			log.Fatal(err)
		}
		return
	}
	dir, err := os.MkdirTemp("", "repute-bench-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "bench.duckdb")
	began := time.Now()
	cells, err := year.Build(path, *ips, *receivers, *weeks)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d IPs, %d receivers, %d weeks: %d hourly cells, made in %.1f s\n", *ips, *receivers, *weeks, cells, time.Since(began).Seconds())
	for _, which := range []string{"the first report, from all evidence", "the next, from the model's kept state"} {
		cmd := exec.Command(os.Args[0], "-db", path, "-weeks", fmt.Sprint(*weeks), "-out", *out, "-cpuprofile", *cpu)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		fmt.Println(which)
		if err := cmd.Run(); err != nil {
			log.Fatal(err)
		}
		usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		fmt.Printf("whole process: %.2f s of processor time, %d MiB at most\n", cmd.ProcessState.UserTime().Seconds()+cmd.ProcessState.SystemTime().Seconds(), usage.Maxrss/1024)
	}
	if info, err := os.Stat(path); err == nil {
		fmt.Printf("database: %.1f MB\n", float64(info.Size())/1e6)
	}
}

func report(db, out string, weeks int) error {
	ctx := context.Background()
	began := time.Now()
	s, err := store.Open(ctx, db, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	set, err := rules.Default()
	if err != nil {
		return err
	}
	a, err := analysis.New(ctx, s, set, nil, inference.Defaults(), time.Time{})
	if err != nil {
		return err
	}
	to := year.Start.AddDate(0, 0, 7*weeks)
	f, err := a.Findings(ctx, to.AddDate(0, 0, -7), to)
	if err != nil {
		return err
	}
	found := time.Now()
	var size counter
	w := &size
	if err := page.HTML(w, f, words.English()); err != nil {
		return err
	}
	fmt.Printf("%d pairs, %d changes: findings %.2f s, page %.2f s, %.2f MB\n", len(f.Pairs), len(f.Changes), found.Sub(began).Seconds(), time.Since(found).Seconds(), float64(size.n)/1e6)
	if out != "" {
		return os.WriteFile(out, size.b, 0o644)
	}
	return nil
}

type counter struct {
	n int
	b []byte
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	c.b = append(c.b, p...)
	return len(p), nil
}
