//go:build torture

package ingest

import (
	"fmt"
	"os"
	"strconv"
	"testing"
)

// TestTortureModel is TestModel with REPUTE_LISTS lists of actions, 10,000
// unless it says otherwise; REPUTE_SEED tells which.
func TestTortureModel(t *testing.T) {
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return n
		}
		return otherwise
	}
	runModel(t, uint64(number("REPUTE_SEED", 2)), number("REPUTE_LISTS", 10_000))
}

// TestTortureFollow is the stress matrix with bursts of 10,000 and, where the
// time allows, 100,000 lines, three times each. Run it with -race as well.
func TestTortureFollow(t *testing.T) {
	bursts := []int{10_000, 100_000}
	if testing.Short() {
		bursts = bursts[:1]
	}
	for _, some := range bursts {
		for run := range 3 {
			t.Run(fmt.Sprintf("%d lines, run %d", some, run+1), func(t *testing.T) { stress(t, some) })
		}
	}
}
