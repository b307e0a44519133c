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
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"syscall"
	"time"

	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/store"
	"repute/reports/page"
	"repute/reports/words"
	"repute/rules"
)

var start = time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC) // a Monday

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
	cells, err := build(path, *ips, *receivers, *weeks)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d IPs, %d receivers, %d weeks: %d hourly cells, made in %.1f s\n", *ips, *receivers, *weeks, cells, time.Since(began).Seconds())
	cmd := exec.Command(os.Args[0], "-db", path, "-weeks", fmt.Sprint(*weeks), "-out", *out, "-cpuprofile", *cpu)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		log.Fatal(err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	fmt.Printf("whole process: %.2f s of processor time, %d MiB at most\n", cmd.ProcessState.UserTime().Seconds()+cmd.ProcessState.SystemTime().Seconds(), usage.Maxrss/1024)
}

// build makes the database: few receivers get most of the mail, and each IP
// falls at a receiver of its own for some weeks.
func build(path string, ips, receivers, weeks int) (cells int, err error) {
	ctx := context.Background()
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 2))
	first := &store.Batch{Stream: store.StreamState{ID: 1, Path: "mail.log", Format: "postfix"}}
	for i := range ips {
		o := store.Origin{ID: int32(i + 1)}
		o.Host, o.Tag, o.LocalIP, o.Domain = "mx", "postfix", fmt.Sprintf("203.0.%d.%d", 100+i/8, 10+i%8), "news.example.com"
		first.Origins = append(first.Origins, o)
	}
	for r := range receivers {
		first.Receivers = append(first.Receivers, store.Named{ID: int32(r + 1), Name: fmt.Sprintf("receiver-%03d.example", r)})
		first.Domains = append(first.Domains, store.Named{ID: int32(r + 1), Name: fmt.Sprintf("receiver-%03d.example", r)})
	}
	position := int64(0)
	for week := range weeks {
		b := &store.Batch{Stream: first.Stream, From: position}
		if week == 0 {
			b = first
		}
		for day := range 7 {
			b.Evidence = append(b.Evidence, dayOf(random, week, day, ips, receivers)...)
		}
		cells += len(b.Evidence)
		position++
		b.Lines, b.Stream.Bytes, b.Stream.Lines, b.Stream.Attempts = int64(len(b.Evidence)), position, int64(cells), int64(cells)
		if err := s.Commit(ctx, b); err != nil {
			return cells, err
		}
	}
	return cells, nil
}

func dayOf(random *rand.Rand, week, day, ips, receivers int) (out []store.Evidence) {
	for i := range ips {
		for r := range receivers {
			mails := 60 / float64(r+1)
			for range int(min(3, mails)) + flip(random, min(3, mails)-float64(int(min(3, mails)))) {
				e := store.Evidence{Hour: start.AddDate(0, 0, 7*week+day).Unix() + int64(random.IntN(24))*3600, Origin: int32(i + 1), Receiver: int32(r + 1), Domain: int32(r + 1)}
				good := 0.97
				if fell := (7*i + 3) % 50; r == i%20 && week >= fell && week < fell+6 {
					good = 0.3
				}
				for range max(1, int(mails/3)) {
					if random.Float64() < good {
						e.Accepted++
					} else {
						e.RejectPolicy++
					}
				}
				e.Attempts = e.First()
				out = append(out, e)
			}
		}
	}
	return out
}

func flip(random *rand.Rand, p float64) int {
	if random.Float64() < p {
		return 1
	}
	return 0
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
	a, err := analysis.New(ctx, s, set, nil, inference.Defaults())
	if err != nil {
		return err
	}
	to := start.AddDate(0, 0, 7*weeks)
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
