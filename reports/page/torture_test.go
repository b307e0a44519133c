//go:build torture

package page

import (
	"testing"

	"repute/reports/fixture"
)

// TestTorturePayloads is TestPayloads with every payload on a page of its own.
func TestTorturePayloads(t *testing.T) { harmless(t, fixture.Payloads()) }
