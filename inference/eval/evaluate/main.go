// Command evaluate prints how well the model does on worlds with a hidden
// truth, beside two baselines, and fails where it got worse than the committed
// figures.
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"repute/inference"
	"repute/inference/eval"
)

func main() {
	level := flag.Int("level", 0, "only this level, 1 to 4")
	seeds := flag.String("seeds", "501,502", "seeds of the worlds; the model was tuned below 200")
	figures := flag.String("figures", "", "compare with the figures in this `file`, and fail where they are worse")
	update := flag.Bool("update", false, "write the figures to that file")
	flag.Parse()
	list, err := numbers(*seeds)
	if err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(2)
	}
	var all []eval.Figures
	for i, l := range eval.Levels() {
		if *level == 0 || *level == i+1 {
			f := eval.Run(l, list, inference.Defaults())
			fmt.Print(f.Table())
			all = append(all, f)
		}
	}
	if *figures == "" {
		return
	}
	if *update {
		err = eval.Save(*figures, all)
	} else {
		err = eval.Compare(*figures, all)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "evaluate:", err)
		os.Exit(1)
	}
}

func numbers(s string) (out []uint64, err error) {
	for word := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}
