//go:build torture

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTorturePower cuts the power: strace writes down what the program did to
// the database's folder, and for points of it the folder is made anew with
// what was synced by then and a random part of the rest. The database opens
// and verify finds nothing; or it is refused, and then repaired. All is there
// of what was synced, so of what a program that ended well had read, and
// reading on makes it equal to a reading without a cut. REPUTE_CUTS sets how many cuts each case has (60),
// REPUTE_SEED which.
func TestTorturePower(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: apt-get install strace")
	}
	t.Run("ingest of a log that grows", func(t *testing.T) {
		p := newPower(t, 120_000)
		for part := 1; part <= 4; part++ {
			p.grow(part, 4)
			p.run(p.ingest())
		}
		p.cuts()
	})
	t.Run("follow", func(t *testing.T) {
		p := newPower(t, 300_000)
		p.grow(1, 1)
		p.run(p.follow())
		p.cuts()
	})
}

type power struct {
	*killed
	disk  *disk
	lines [][]byte // of the whole log
	read  int
	trace string
	sure  map[int]int64 // lines in the database after a sync, by its place
	// How the cuts ended beside those that opened with all that was synced.
	none     int
	repaired map[bool]int // loose or not
}

func newPower(t *testing.T, lines int) *power {
	k := newKilled(t, lines)
	dir := filepath.Dir(k.log)
	folder := filepath.Join(dir, "db")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	k.db = filepath.Join(folder, "r.duckdb")
	text, err := os.ReadFile(k.log)
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{t: t, folder: folder, names: map[string]*diskFile{}, begun: map[string]begun{}}
	return &power{killed: k, disk: d, lines: bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), trace: filepath.Join(dir, "trace"), sure: map[int]int64{}, repaired: map[bool]int{}}
}

// grow leaves the first parts of the log.
func (p *power) grow(part, parts int) {
	p.read = len(p.lines) * part / parts
	text := bytes.Join(p.lines[:p.read], nil)
	if p.read == len(p.lines) {
		text = append(text, '\n')
	}
	if err := os.WriteFile(p.log, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// run runs a command to its end, which promises that all is kept, and notes
// what it did.
func (p *power) run(c *exec.Cmd) {
	p.t.Helper()
	c = traced(c, p.trace)
	out, err := c.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %s", err, out)
	}
	p.disk.record(p.trace)
	if err := os.Remove(p.trace); err != nil {
		p.t.Fatal(err)
	}
	p.disk.ops = append(p.disk.ops, diskOp{kind: acknowledged, lines: int64(p.read)})
}

// follow follows until all is read, and is ended by a signal.
func (p *power) follow() *exec.Cmd {
	said := p.trace + ".said"
	script := `"$1" follow "$2" --db "$3" 2>"$4" & while ! grep -q "caught up" "$4"; do kill -0 $! || exit 1; sleep 0.1; done; kill -TERM $!; wait $!`
	return exec.Command("sh", "-c", script, "sh", p.program, p.log, p.db, said)
}

// cuts tries points in what was done: any; those right before and after a sync,
// and after a change of the folder; and those where something was written anew
// in its place.
func (p *power) cuts() {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	n := number("REPUTE_CUTS", 60)
	if got := p.contents(); got != p.clean {
		p.t.Fatalf("without a cut\n%s, want\n%s", got, p.clean)
	}
	p.grow(1, 1)
	var turns, rewritten, all []int
	syncs, ends := 0, map[*diskFile]int64{}
	for i, op := range p.disk.ops {
		all = append(all, i+1)
		switch op.kind {
		case fileWritten:
			if op.offset < ends[op.file] && len(op.data) > sector {
				rewritten = append(rewritten, i+1)
			}
			ends[op.file] = max(ends[op.file], op.offset+int64(len(op.data)))
		case fileSynced, folderSynced:
			syncs++
			turns = append(turns, i)
			fallthrough
		default:
			turns = append(turns, i+1)
		}
	}
	random := rand.New(rand.NewPCG(11, uint64(number("REPUTE_SEED", 1))))
	start, bad := time.Now(), 0
	for i := range n {
		c := cut{
			random: random, loose: i%2 == 1,
			keeps: []float64{0, 0.5, 0.9, 0.99, 0.999, 1}[random.IntN(6)],
		}
		where := [][]int{all, turns, rewritten}[i/2%3]
		c.at = where[random.IntN(len(where))]
		if err := p.cut(c); err != nil {
			bad++
			p.t.Errorf("cut %d, after %d of %d operations, %g of what was not synced kept, loose %v: %v", i, c.at, len(p.disk.ops), c.keeps, c.loose, err)
		}
	}
	p.t.Logf("%d operations, %d of them syncs; %d cuts, half of them loose, %d bad; refused and repaired: %d, of the loose %d; %d of all had no database yet; %v",
		len(p.disk.ops), syncs, n, bad, p.repaired[false], p.repaired[true], p.none, time.Since(start).Round(time.Second))
}

// cut tries one point.
func (p *power) cut(c cut) error {
	files, promised := p.disk.after(c)
	promised = max(promised, p.lastSure(c.at))
	p.remove()
	p.disk.write(files)
	lines := int64(0)
	if files[filepath.Base(p.db)] == nil {
		p.none++
	} else {
		status, out := stopped(p.t, exec.Command(p.program, "verify", "--db", p.db))
		if status == exitIO {
			p.repaired[c.loose]++
			if status, out := stopped(p.t, exec.Command(p.program, "repair", "--db", p.db)); status != exitOK {
				return fmt.Errorf("repair: exit status %d: %.300s", status, out)
			}
			status, out = stopped(p.t, exec.Command(p.program, "verify", "--db", p.db))
		}
		if status != exitOK {
			return fmt.Errorf("verify: exit status %d: %s", status, out)
		}
		var err error
		if lines, err = p.count(); err != nil {
			return err
		}
	}
	if lines < promised {
		return fmt.Errorf("%d lines are there, %d were promised", lines, promised)
	}
	if status, out := stopped(p.t, p.ingest()); status != exitOK {
		return fmt.Errorf("reading on: exit status %d: %s", status, out)
	}
	if got := p.contents(); got != p.clean {
		return fmt.Errorf("read on\n%s, without\n%s", got, p.clean)
	}
	return nil
}

// lastSure is how many lines were in the database when a file was last synced
// before a point: what a kill right after would have left.
func (p *power) lastSure(at int) int64 {
	for at > 0 && p.disk.ops[at-1].kind != fileSynced {
		at--
	}
	if lines, ok := p.sure[at]; ok || at == 0 {
		return lines
	}
	files, _ := p.disk.after(cut{at: at, random: rand.New(rand.NewPCG(1, 1)), keeps: 1})
	lines := int64(0)
	if files[filepath.Base(p.db)] != nil {
		p.remove()
		p.disk.write(files)
		var err error
		if lines, err = p.count(); err != nil {
			p.t.Errorf("after operation %d, nothing lost: %v", at, err)
		}
	}
	p.sure[at] = lines
	return lines
}

func (p *power) count() (int64, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, p.program, "db", "info", "--db", p.db, "--format", "json").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return 0, fmt.Errorf("db info: %v: %s", err, strings.TrimSpace(string(exit.Stderr)))
		}
		return 0, err
	}
	var info struct{ Lines int64 }
	err = json.Unmarshal(out, &info)
	return info.Lines, err
}
