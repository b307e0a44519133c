package rules

import (
	"testing"
)

// TestLaws: every example is won by its own rule in the whole set.
func TestLaws(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Check() {
		t.Error(err)
	}
}
