// Command ingest measures `repute ingest` on a generated log beside what people
// have: pflogsumm, DuckDB's own SQL, zcat | wc -l and zstd -dc | wc -l for
// Postfix, eximstats for Exim. Ours and another's are run in turn; compare
// their ratios, not the seconds.
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

// command is what is measured, in bash.
type command struct {
	name, script string
	env          []string
}

// bench measures commands on one log.
type bench struct {
	db    string
	lines int64
	times int
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
	b := &bench{db: filepath.Join(dir, "bench.duckdb"), lines: lines, times: times}
	fmt.Printf("%d lines, %.0f bytes a line\n", lines, size(log)/float64(lines))
	fmt.Printf("%-34s %9s %9s %9s %10s\n", "", "CPU", "wall", "RSS", "CPU a line")
	ours := func(name, file string) command {
		return command{name: "repute ingest" + name, script: bin + " ingest --db " + b.db + " " + file + " 2>&1"}
	}
	plain, one := ours("", log), ours(", one core", log)
	one.script, one.env = "taskset -c 0 "+one.script, []string{"GOMAXPROCS=1"}
	costs, err := b.inTurn(one, plain)
	if err != nil {
		return err
	}
	if err := disk(b.db, size(log+".gz")); err != nil {
		return err
	}
	fmt.Printf("two cores: %.2f × one\n", costs[0].wall.Seconds()/costs[1].wall.Seconds())
	if !peers {
		return nil
	}
	if exim != "" {
		return b.compare(plain, command{name: "eximstats", script: exim + " " + log})
	}
	sql := filepath.Join(dir, "sql")
	if out, err := exec.Command("go", "build", "-o", sql, "./internal/bench/sql").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return errors.Join(
		b.compare(ours(" .gz", log+".gz"), command{name: "zcat | wc -l", script: "zcat " + log + ".gz | wc -l"}),
		b.compare(ours(" .zst", log+".zst"), command{name: "zstd -dc | wc -l", script: "zstd -dc " + log + ".zst | wc -l"}),
		b.compare(plain, command{name: "pflogsumm", script: "pflogsumm " + log}),
		b.compare(plain, command{name: "DuckDB's SQL, delivery fields only", script: sql + " --db " + b.db + " " + log}),
		b.compare(plain, command{name: "DuckDB's SQL, as whole as ingest", script: sql + " --whole --db " + b.db + " " + log}))
}

// compare measures ours beside another, in turn: a machine that others share
// is faster at one minute than at the next.
func (b *bench) compare(ours, other command) error {
	c, err := b.inTurn(ours, other)
	if err != nil {
		return err
	}
	fmt.Printf("  ours: %.3f × its CPU (1/%.1f), %.3f × its wall time, %.2f × its RSS\n", c[0].cpu.Seconds()/c[1].cpu.Seconds(),
		c[1].cpu.Seconds()/c[0].cpu.Seconds(), c[0].wall.Seconds()/c[1].wall.Seconds(), float64(c[0].rss)/float64(c[1].rss))
	return nil
}

// inTurn runs commands one after the other, several times, each with a new
// database. Of each the run with the least CPU time counts, and the most
// memory.
func (b *bench) inTurn(commands ...command) ([]cost, error) {
	best := make([]cost, len(commands))
	for range b.times {
		for i, c := range commands {
			for _, f := range []string{b.db, b.db + ".wal"} {
				if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
					return nil, err
				}
			}
			now, err := measure(c.env, c.script)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.script, err)
			}
			rss := max(now.rss, best[i].rss)
			if best[i].cpu == 0 || now.cpu < best[i].cpu {
				best[i] = now
			}
			best[i].rss = rss
		}
	}
	for i, c := range best {
		fmt.Printf("%-34s %8.2fs %8.2fs %6d MiB %7.2f µs\n", commands[i].name, c.cpu.Seconds(), c.wall.Seconds(), c.rss>>20, c.cpu.Seconds()*1e6/float64(b.lines))
	}
	return best, nil
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
