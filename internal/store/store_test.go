package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"repute/delivery"
	"repute/internal/sender"
)

// TestMain lets the test binary be the other process that holds a database.
func TestMain(m *testing.M) {
	if path := os.Getenv("REPUTE_TEST_OPEN"); path != "" {
		s, err := Open(context.Background(), path, Options{})
		var locked *LockedError
		switch {
		case errors.As(err, &locked) && locked.PID == os.Getppid():
			os.Exit(75)
		case err != nil:
			println(err.Error())
			os.Exit(1)
		}
		s.Close()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func batch(stream int32, from, to int64) *Batch {
	return &Batch{
		From: from, Lines: 10,
		Stream:    StreamState{ID: stream, Path: "mail.log", Format: "syslog", HeadLen: 3, Bytes: to, Coverage: Coverage{Lines: 10, Events: 2, Attempts: 1, FirstAt: 5, LastAt: 9}},
		Origins:   []Origin{{ID: 1, Origin: sender.Origin{Host: "mx1", Tag: "postfix/out2", Domain: "example.com"}}},
		Receivers: []Named{{1, "gmail"}},
		Domains:   []Named{{1, "gmail.com"}},
		Templates: []Template{{
			ID: 1, Receiver: 1, Sample: "4.7.28 slow down",
			Reply:   delivery.Reply{Code: 421, Enhanced: delivery.Enhanced{Class: 4, Subject: 7, Detail: 28}, Stage: delivery.StageEOD, Text: []byte("4.7.28 slow down")},
			Verdict: delivery.Verdict{Reason: delivery.ReputationIP, Rule: "r", About: delivery.AboutIP, Confidence: 0.5},
		}},
		Events:  []Event{{At: 7, Message: 1, Origin: 1, Receiver: 1, Domain: 1, Recipient: 1<<40 - 1, Template: 1, Kind: delivery.Attempt, Status: delivery.Deferred, Class: delivery.ClassDeferPolicy, Attempted: true, First: true, QueueS: -1, Stream: stream, Line: 3, QueueID: "ABC", MessageID: 1<<40 - 1, Sender: 7}},
		Replies: []ReplyCount{{Hour: 0, Origin: 1, Receiver: 1, Template: 1, Class: delivery.ClassDeferPolicy, First: 1, Attempts: 1, From: 7, To: 7}},
		Counts:  CountsOf(Evidence{Hour: 3600, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{DeferSlow: 3, Attempts: 3}}),
		Quotes:  []Quote{{1, "192.0.2.1", 2}},
		Open:    []byte("state"),
	}
}

func TestRoundTrip(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, batch(1, 0, 100)); err != nil {
		t.Fatal(err)
	}
	minus := uint32(1)
	second := &Batch{Stream: StreamState{ID: 1, Bytes: 200, Coverage: Coverage{Lines: 20, Events: 2, Attempts: 1, FirstAt: 5, LastAt: 12}}, From: 100, Open: []byte("later")}
	second.Counts = CountsOf(Evidence{Hour: 3600, Origin: 1, Receiver: 1, Domain: 1, Counts: delivery.Counts{DeferSlow: -minus, DeferQuick: 1}})
	if err := s.Commit(ctx, second); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(ctx, path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	rows := 0
	for e, err := range s.Evidence(ctx, 0, 7200, false) {
		rows++
		if err != nil || e.DeferSlow != 2 || e.DeferQuick != 1 || e.Attempts != 3 {
			t.Errorf("evidence %+v, %v: the correction is not added up", e, err)
		}
	}
	if rows != 1 {
		t.Errorf("%d rows of evidence", rows)
	}
	if open, err := s.OpenState(ctx); err != nil || string(open) != "later" {
		t.Errorf("open state %q, %v", open, err)
	}
	streams, err := s.Streams(ctx)
	if err != nil || len(streams) != 1 || streams[0].Bytes != 200 || streams[0].Lines != 20 {
		t.Errorf("streams %+v, %v", streams, err)
	}
	templates, err := s.Templates(ctx)
	want := batch(1, 0, 0).Templates[0]
	if err != nil || len(templates) != 1 || templates[0].Verdict != want.Verdict || templates[0].Reply.Enhanced != want.Reply.Enhanced || templates[0].Reply.Stage != delivery.StageEOD {
		t.Errorf("templates %+v, %v", templates, err)
	}
	replies, err := s.Replies(ctx, 0, 100e6)
	if err != nil || len(replies) != 1 || replies[0].First != 1 || replies[0].Class != delivery.ClassDeferPolicy {
		t.Errorf("replies %+v, %v", replies, err)
	}
	info, err := s.Info(ctx)
	if err != nil || info.Lines != 20 || info.Messages != 1 || info.First != 5 || info.Last != 12 {
		t.Errorf("info %+v, %v", info, err)
	}
	if ids, err := s.Next(ctx); err != nil || ids.Stream != 2 || ids.Message != 2 {
		t.Errorf("next ids %+v, %v", ids, err)
	}
}

func TestPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: others can read it", info.Mode(), err)
	}
}

// A failed transaction leaves nothing behind, and the store goes on.
func TestFailedCommit(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "r.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Commit(cancelled, batch(1, 0, 100)); err == nil {
		t.Fatal("a cancelled transaction went through")
	}
	if streams, err := s.Streams(ctx); err != nil || len(streams) != 0 {
		t.Errorf("%d streams, %v: a part of the batch is there", len(streams), err)
	}
	if err := s.Commit(ctx, batch(1, 0, 100)); err != nil {
		t.Errorf("the store does not go on: %v", err)
	}
}

// DuckDB's word for an interrupt that came too late for the call that it was
// meant for tells that the transaction was cancelled.
func TestLateInterrupt(t *testing.T) {
	s, err := Open(t.Context(), filepath.Join(t.TempDir(), "r.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	w := s.Begin(ctx)
	w.Add(batch(1, 0, 100).Events)
	cancel()
	w.err = errors.New("INTERRUPT Error: Interrupted!")
	if err := w.Commit(batch(1, 0, 100)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not tell that it was cancelled", err)
	}
	if streams, err := s.Streams(t.Context()); err != nil || len(streams) != 0 {
		t.Errorf("%d streams, %v: a part of the batch is there", len(streams), err)
	}
}

func TestLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.duckdb")
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	other := exec.Command(os.Args[0])
	other.Env = append(os.Environ(), "REPUTE_TEST_OPEN="+path)
	out, err := other.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 75 {
		t.Errorf("a second process: %v\n%s", err, out)
	}
}

// TestLayout opens a database again, which must keep what it was made with.
func TestLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	for range 2 {
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var block int64
		var tags string
		err = s.db.QueryRowContext(t.Context(), "SELECT block_size FROM pragma_database_size()").Scan(&block)
		if err == nil {
			err = s.db.QueryRowContext(t.Context(), "SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").Scan(&tags)
		}
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if block != 64<<10 || !strings.HasPrefix(tags, "v1.4") {
			t.Errorf("blocks of %d bytes, storage version %q", block, tags)
		}
	}
}

func TestDamaged(t *testing.T) {
	ctx := context.Background()
	for name, content := range map[string]string{"text": strings.Repeat("no database\n", 1000), "zeros": strings.Repeat("\x00", 8192)} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *DamagedError
		if _, err := Open(ctx, path, Options{}); !errors.As(err, &damaged) {
			t.Errorf("%s: %v", name, err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != content {
			t.Errorf("%s was changed", name)
		}
	}
	// A kill during creation leaves an empty file, or another name's leftovers.
	path := filepath.Join(t.TempDir(), "r.duckdb")
	for _, p := range []string{path, path + ".new"} {
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatalf("after a kill during creation: %v", err)
	}
	s.Close()
}

// Nothing that a query could reach is open: files, extensions, settings.
func TestDoorsClosed(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "r.duckdb"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, q := range []string{
		"SELECT * FROM read_csv('/etc/passwd')", "COPY (SELECT 1) TO '/tmp/x.csv'", "INSTALL httpfs", "LOAD httpfs",
		"ATTACH '/tmp/other.duckdb'", "SET enable_external_access = true", "SET memory_limit = '1TB'",
	} {
		if _, err := s.db.ExecContext(ctx, q); err == nil {
			t.Errorf("%s is allowed", q)
		}
	}
}

// TestNoRoomToSort: where what does not fit into memory can't be put aside, the
// question fails with an error, and the database is none the worse.
func TestNoRoomToSort(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "r.duckdb")
	if err := os.WriteFile(path+".tmp", nil, 0o600); err != nil { // the folder for it can't be made
		t.Fatal(err)
	}
	s, err := Open(ctx, path, Options{MemoryLimit: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Commit(ctx, batch(1, 0, 100)); err != nil {
		t.Fatal(err)
	}
	n := 0
	big := "SELECT hash(i)::VARCHAR || repeat('x', 100) AS v FROM range(3000000) t(i) ORDER BY v"
	for _, err = range rows(ctx, s, big, func(r *sql.Rows) (v string, err error) { return v, r.Scan(&v) }) {
		n++
	}
	if err == nil {
		t.Errorf("%d rows, and no error", n)
	}
	if info, err := s.Info(ctx); err != nil || info.Lines != 10 {
		t.Errorf("afterwards: %+v, %v", info, err)
	}
	if err := s.Commit(ctx, &Batch{Stream: StreamState{ID: 1, Bytes: 200}, From: 100}); err != nil {
		t.Errorf("it does not go on: %v", err)
	}
}
