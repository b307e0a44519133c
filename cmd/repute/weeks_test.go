package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestWeeks: the days of a report follow each other, and a fall that still
// holds is told in the weeks after it as well.
func TestWeeks(t *testing.T) {
	db := filepath.Join(t.TempDir(), "r.duckdb")
	common := []string{"--db", db, "--config", "../../sample-logs/repute.toml"}
	if status, out := command(t, append([]string{"ingest", "../../sample-logs/exim-a"}, common...)...); status != exitOK {
		t.Fatalf("exit status %d: %s", status, out)
	}
	var out, errs bytes.Buffer
	args := append([]string{"report", "--format", "json", "--since", "2025-12-20", "--until", "2026-01-13"}, common...)
	if status := run(t.Context(), args, strings.NewReader(""), &out, &errs); status != exitOK {
		t.Fatalf("exit status %d: %s", status, errs.String())
	}
	var report struct {
		Reasons []struct {
			Day           string
			FirstOutcomes int `json:"first_outcomes"`
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Reasons) < 20 {
		t.Fatalf("%d days, %v", len(report.Reasons), err)
	}
	for i, d := range report.Reasons {
		if i > 0 && d.Day <= report.Reasons[i-1].Day || d.FirstOutcomes == 0 {
			t.Errorf("day %d is %s with %d first outcomes", i, d.Day, d.FirstOutcomes)
		}
	}
	page := filepath.Join(t.TempDir(), "w.html")
	status, gist := command(t, append([]string{"report", "--week", "2026-W03", "--out", page}, common...)...)
	if status != exitOK || !strings.Contains(gist, "94 to 9    7 Jan   IP") || !strings.Contains(gist, "203.0.113.34: find the stream") {
		t.Errorf("the week after the fall: exit status %d:\n%s", status, gist)
	}
}
