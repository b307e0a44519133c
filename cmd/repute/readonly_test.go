package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReadOnly: a database that this user may read and not write, or that is
// in a folder that can't be written, answers; what would write is refused.
func TestReadOnly(t *testing.T) {
	dir, err := os.MkdirTemp("", "repute") // t.TempDir's parent is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	db := filepath.Join(dir, "r.duckdb")
	if status, out := command(t, "ingest", "--db", db, "--config", "../../sample-logs/repute.toml", "../../sample-logs/postfix-b"); status != exitOK {
		t.Fatalf("exit status %d: %s", status, out)
	}
	config, err := os.ReadFile("../../sample-logs/repute.toml")
	if err != nil {
		t.Fatal(err)
	}
	toml := filepath.Join(dir, "repute.toml")
	if err := os.WriteFile(toml, config, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "repute")
	copyFile(t, os.Args[0], program)
	for path, mode := range map[string]os.FileMode{db: 0o444, toml: 0o444, program: 0o555, dir: 0o555} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	for line, want := range map[string]int{
		"scores": exitOK, "changes": exitOK, "report --out /dev/null": exitOK, "db info": exitOK, "verify": exitOK, "trace a@example.net": exitNothing,
		"forget a@example.net": exitIO, "db prune": exitIO, "ingest " + toml: exitIO,
	} {
		cmd := exec.Command(program, append(strings.Fields(line), "--db", db, "--config", toml)...)
		cmd.Dir = dir
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit status %d, want %d: %.300s", line, got, want, out)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	r, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
