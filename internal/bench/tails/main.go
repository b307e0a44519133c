// Tails measures what tail libraries make of rotated logs: the stress matrix
// that internal/ingest's tests run on our own reader. It is a module of its
// own, so that the libraries are no part of repute.
//
//	go run -C internal/bench/tails . -runs 3
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	hpcloud "github.com/hpcloud/tail"
	nxadm "github.com/nxadm/tail"

	"repute/internal/rotate"
)

// tail is a library that follows a log.
type tail struct {
	name string
	// open follows path from an offset and calls line for each line, on a
	// goroutine of its own, until stop, which returns the offset for the next.
	open func(path string, offset int64, line func(string)) (stop func() (int64, error), err error)
}

func hpcloudTail(poll bool) func(string, int64, func(string)) (func() (int64, error), error) {
	return func(path string, offset int64, line func(string)) (func() (int64, error), error) {
		t, err := hpcloud.TailFile(path, hpcloud.Config{
			Follow: true, ReOpen: true, Poll: poll, Logger: hpcloud.DiscardingLogger,
			Location: &hpcloud.SeekInfo{Offset: offset, Whence: io.SeekStart},
		})
		if err != nil {
			return nil, err
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for l := range t.Lines {
				line(l.Text)
			}
		}()
		return func() (int64, error) {
			at, err := t.Tell()
			go func() { _ = t.Stop() }() // it may never return
			wait(done)
			return at, err
		}, nil
	}
}

func nxadmTail(poll bool) func(string, int64, func(string)) (func() (int64, error), error) {
	return func(path string, offset int64, line func(string)) (func() (int64, error), error) {
		t, err := nxadm.TailFile(path, nxadm.Config{
			Follow: true, ReOpen: true, Poll: poll, Logger: nxadm.DiscardingLogger, CompleteLines: true,
			Location: &nxadm.SeekInfo{Offset: offset, Whence: io.SeekStart},
		})
		if err != nil {
			return nil, err
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for l := range t.Lines {
				line(l.Text)
			}
		}()
		return func() (int64, error) {
			at, err := t.Tell()
			go func() { _ = t.Stop() }()
			wait(done)
			return at, err
		}, nil
	}
}

// wait gives a library a second to stop.
func wait(done <-chan struct{}) {
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

func main() {
	runs := flag.Int("runs", 3, "how often each case is run")
	rate := flag.Int("rate", 500, "lines a second; 0: in bursts")
	some := flag.Int("some", 500, "lines at a time")
	match := flag.String("case", "", "only cases whose name has this in it")
	flag.Parse()
	log.SetFlags(0)
	tails := []tail{
		{"hpcloud inotify", hpcloudTail(false)},
		{"hpcloud poll", hpcloudTail(true)},
		{"nxadm inotify", nxadmTail(false)},
		{"nxadm poll", nxadmTail(true)},
	}
	fmt.Printf("| %d a second, %d at a time |", *rate, *some)
	for _, t := range tails {
		fmt.Printf(" %s |", t.name)
	}
	fmt.Printf("\n|---|%s\n", strings.Repeat("---|", len(tails)))
	for _, c := range cases() {
		if !strings.Contains(c.name, *match) {
			continue
		}
		fmt.Printf("| %s |", c.name)
		for _, t := range tails {
			var cells []string
			for range *runs {
				cells = append(cells, measure(t, c, *rate, *some))
			}
			fmt.Printf(" %s |", strings.Join(cells, " · "))
		}
		fmt.Println()
	}
}

// measure runs one case: "lost of lines", and doubled and torn where there are
// any.
func measure(t tail, c stress, rate, some int) string {
	dir, err := os.MkdirTemp("", "tails")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	w := &rotate.Writer{Path: filepath.Join(dir, "mail.log"), Rate: rate}
	count := newTally()
	if err := c.run(t, w, some, count); err != nil {
		return err.Error()
	}
	lost, doubled, torn := count.judge(w.N, c.torn)
	text := fmt.Sprintf("%d of %d", lost, w.N)
	if doubled > 0 {
		text += fmt.Sprintf(", doubled %d", doubled)
	}
	if torn > 0 {
		text += fmt.Sprintf(", torn %d", torn)
	}
	return text
}
