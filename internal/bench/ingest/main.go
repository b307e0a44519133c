// Command ingest measures `repute ingest` on a generated log beside what people
// have: pflogsumm, DuckDB's own SQL, zcat | wc -l and zstd -dc | wc -l for
// Postfix, eximstats for Exim. All figures of a table are of one run; compare
// its ratios, not its seconds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"repute/internal/store"
)

func main() {
	lines := flag.Int64("lines", 1_000_000, "lines of the log")
	bin := flag.String("repute", "bin/repute", "`program` to measure")
	dir := flag.String("dir", "", "`folder` for the log and the database; kept. Default: a temporary one")
	times := flag.Int("times", 2, "how often each is run; the least CPU time counts")
	peers := flag.Bool("peers", true, "measure the others too")
	exim := flag.String("eximstats", "", "measure on a log of Exim, beside this `program`")
	flag.Parse()
	if err := run(*lines, *bin, *dir, *times, *peers, *exim); err != nil {
		fmt.Fprintln(os.Stderr, "ingest:", err)
		os.Exit(1)
	}
}

// cost is what a command took.
type cost struct {
	cpu, wall time.Duration
	rss       int64 // bytes, of its largest process
}

// other is what is measured beside ours.
type other struct {
	name, script string
	ours         cost
}

func run(lines int64, bin, dir string, times int, peers bool, exim string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	if dir == "" {
		if dir, err = os.MkdirTemp("", "repute-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	log, genlog := filepath.Join(dir, fmt.Sprintf("mail-%d.log", lines)), "go run ./internal/bench/genlog"
	if exim != "" {
		log, genlog = filepath.Join(dir, fmt.Sprintf("exim-%d.log", lines)), genlog+" -exim"
	}
	if err := prepare(log, genlog, lines); err != nil {
		return err
	}
	db := filepath.Join(dir, "bench.duckdb")
	best := func(env []string, script string) (c cost, err error) {
		for range times {
			for _, f := range []string{db, db + ".wal"} {
				if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
					return c, err
				}
			}
			one, err := measure(env, script)
			if err != nil {
				return c, fmt.Errorf("%s: %w", script, err)
			}
			if c.cpu == 0 || one.cpu < c.cpu {
				one.rss = max(one.rss, c.rss)
				c = one
			}
		}
		return c, nil
	}
	fmt.Printf("%d lines, %.0f bytes a line\n", lines, size(log)/float64(lines))
	fmt.Printf("%-34s %9s %9s %9s %10s\n", "", "CPU", "wall", "RSS", "CPU a line")
	show := func(name string, c cost) {
		fmt.Printf("%-34s %8.2fs %8.2fs %6d MiB %7.2f µs\n", name, c.cpu.Seconds(), c.wall.Seconds(), c.rss>>20, c.cpu.Seconds()*1e6/float64(lines))
	}
	ingest := func(file string) string { return bin + " ingest --db " + db + " " + file + " 2>&1" }
	gz, err := best(nil, ingest(log+".gz"))
	if err != nil {
		return err
	}
	show("repute ingest .gz", gz)
	zst, err := best(nil, ingest(log+".zst"))
	if err != nil {
		return err
	}
	show("repute ingest .zst", zst)
	one, err := best([]string{"GOMAXPROCS=1"}, "taskset -c 0 "+ingest(log))
	if err != nil {
		return err
	}
	show("repute ingest, one core", one)
	plain, err := best(nil, ingest(log))
	if err != nil {
		return err
	}
	show("repute ingest", plain)
	if err := disk(db, size(log+".gz")); err != nil {
		return err
	}
	fmt.Printf("two cores: %.2f × one\n", one.wall.Seconds()/plain.wall.Seconds())
	if !peers {
		return nil
	}
	sql := filepath.Join(dir, "sql")
	if out, err := exec.Command("go", "build", "-o", sql, "./internal/bench/sql").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	others := []other{
		{"zcat | wc -l", "zcat " + log + ".gz | wc -l", gz},
		{"zstd -dc | wc -l", "zstd -dc " + log + ".zst | wc -l", zst},
		{"pflogsumm", "pflogsumm " + log, plain},
		{"DuckDB's SQL, delivery fields only", sql + " --db " + db + " " + log, plain},
		{"DuckDB's SQL, as whole as ingest", sql + " --whole --db " + db + " " + log, plain},
	}
	if exim != "" {
		others = []other{{"eximstats", exim + " " + log, plain}}
	}
	for _, p := range others {
		c, err := best(nil, p.script)
		if err != nil {
			return err
		}
		show(p.name, c)
		fmt.Printf("  ours: %.3f × its CPU (1/%.1f), %.3f × its wall time, %.2f × its RSS\n", p.ours.cpu.Seconds()/c.cpu.Seconds(),
			c.cpu.Seconds()/p.ours.cpu.Seconds(), p.ours.wall.Seconds()/c.wall.Seconds(), float64(p.ours.rss)/float64(c.rss))
	}
	return nil
}

// prepare writes the log, plain and compressed, unless it is there.
func prepare(log, genlog string, lines int64) error {
	if _, err := os.Stat(log + ".zst"); err == nil {
		return nil
	}
	script := fmt.Sprintf("%s -lines %d >%s && gzip -kf %s && zstd -qkf %s", genlog, lines, log, log, log)
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", script, err, out)
	}
	return nil
}

// measure runs a script; its CPU time is that of all its processes.
func measure(env []string, script string) (cost, error) {
	cmd := exec.Command("bash", "-c", "set -o pipefail; "+script)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	start := time.Now()
	err := cmd.Run()
	if err != nil {
		return cost{}, fmt.Errorf("%w: %s", err, stderr.String())
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return cost{}, errors.New("no resource usage here")
	}
	return cost{
		cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(start), rss: usage.Maxrss << 10,
	}, nil
}

// disk tells how large the database is after a checkpoint.
func disk(db string, gz float64) error {
	ctx := context.Background()
	s, err := store.Open(ctx, db, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	info, err := s.Info(ctx)
	if err != nil {
		return err
	}
	n, err := s.Size(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("database: %d bytes, %.1f an attempt (%d attempts), %.2f × the .gz\n", n, float64(n)/float64(info.Attempts), info.Attempts, float64(n)/gz)
	return nil
}

func size(path string) float64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}
