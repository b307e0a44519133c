// Command genlog writes a large, realistic log of Postfix or Exim for measuring: the
// same seed and line count give the same bytes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

func main() {
	lines := flag.Int64("lines", 1_000_000, "how many lines")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	domains := flag.Int("domains", 50_000, "recipient domains")
	rate := flag.Float64("rate", 12, "lines a second that the log was written with")
	unremoved := flag.Bool("unremoved", false, "only lines of queue ids that never leave the queue, each another id")
	asExim := flag.Bool("exim", false, "write Exim's main log of the same world")
	flag.Parse()
	w := bufio.NewWriterSize(os.Stdout, 1<<20)
	g := newGenerator(w, *seed, *domains, *rate)
	if *asExim {
		g.mta = exim{g}
	}
	if *unremoved {
		postfix{g}.flood(*lines)
	} else {
		g.run(*lines)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "genlog:", err)
		os.Exit(1)
	}
}
