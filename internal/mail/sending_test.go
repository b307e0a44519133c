package mail

import (
	"context"
	"errors"
	"log/slog"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"repute/internal/config"
)

var start = time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)

// station is a sender with its outbox and a clock that the test moves.
type station struct {
	*Sender
	box *memory
	now time.Time
}

func newStation(t *testing.T, c config.SMTP, to ...string) *station {
	t.Helper()
	st := &station{box: &memory{}, now: start}
	submit, err := NewSubmitter(c, config.NewSecret("hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	st.Sender = &Sender{Outbox: st.box, Submit: submit, Now: func() time.Time { return st.now }, Log: slog.New(slog.DiscardHandler)}
	for _, address := range to {
		st.add(t, address)
	}
	return st
}

func (st *station) add(t *testing.T, to string) bool {
	t.Helper()
	l, err := Compose(Message{
		From: netmail.Address{Address: "repute@example.com"}, To: netmail.Address{Address: to},
		Subject: "week 47", Text: "all well\n", Period: "2026-W47", Date: start,
	})
	if err != nil {
		t.Fatal(err)
	}
	added, err := st.box.Add(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// run runs the sender every five minutes for a while.
func (st *station) run(t *testing.T, d time.Duration) {
	t.Helper()
	for end := st.now.Add(d); !st.now.After(end); st.now = st.now.Add(5 * time.Minute) {
		if _, err := st.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func clear(s *server) config.SMTP {
	return config.SMTP{Host: "127.0.0.1", Port: s.port(), TLS: config.NoTLS, Timeout: config.Duration{Duration: 2 * time.Second}}
}

// M-01: three passing refusals, then the server takes it.
func TestGreylisted(t *testing.T) {
	for _, step := range []string{"connect", "EHLO", "MAIL", "RCPT", "DATA", "."} {
		t.Run(step, func(t *testing.T) {
			s := serve(t, &server{reply: func(n int, at, _ string) string {
				if n <= 3 && at == step {
					return "451 4.7.1 try again later"
				}
				return ""
			}})
			st := newStation(t, clear(s), "a@example.com")
			st.run(t, 24*time.Hour)
			want := 1
			if step == "." {
				want = 4 // three of them refused
			}
			if got := len(s.taken()); got != want || st.box.letters[0].State != Sent || st.box.letters[0].Tries > 4 {
				t.Errorf("%d messages seen, want %d; letter: %+v", got, want, st.box.letters[0])
			}
			if st.box.letters[0].Body != nil {
				t.Error("the body is kept after it was sent")
			}
		})
	}
}

// M-02: no server for an hour, the program starts anew meanwhile.
func TestServerAway(t *testing.T) {
	s := serve(t, &server{})
	c, address := clear(s), s.ln.Addr().String()
	s.ln.Close()
	st := newStation(t, c, "a@example.com")
	st.run(t, 30*time.Minute)
	again := newStation(t, c)
	again.Outbox, again.box, again.now = st.box, st.box, st.now
	again.run(t, 30*time.Minute)
	if l := st.box.letters[0]; l.State != Queued || l.Tries < 3 || l.LastError == "" {
		t.Errorf("letter while the server is away: %+v", l)
	}
	back := serveAt(t, &server{}, address)
	again.run(t, 5*time.Hour)
	if n := len(back.taken()); n != 1 || st.box.letters[0].State != Sent {
		t.Errorf("%d copies, letter %+v", n, st.box.letters[0])
	}
}

// M-03: refused for good.
func TestRefused(t *testing.T) {
	for _, step := range []string{"MAIL", "RCPT", "DATA", "."} {
		t.Run(step, func(t *testing.T) {
			s := serve(t, &server{reply: func(_ int, at, _ string) string {
				if at == step {
					return "550 5.1.1 no such user"
				}
				return ""
			}})
			st := newStation(t, clear(s), "a@example.com")
			st.run(t, 24*time.Hour)
			if l := st.box.letters[0]; s.sessions != 1 || l.State != Failed || !strings.Contains(l.LastError, "no such user") {
				t.Errorf("%d tries, letter %+v", s.sessions, l)
			}
			if n, err := Retry(t.Context(), st.box, st.now); n != 1 || err != nil || st.box.letters[0].State != Queued {
				t.Errorf("Retry = %d, %v", n, err)
			}
		})
	}
}

// M-04: slow and hanging servers are left in time, and at once when we stop.
func TestSlowServer(t *testing.T) {
	for step, how := range map[string]string{"connect": slow, "EHLO": hang, "MAIL": hang, "DATA": hang, ".": hang} {
		t.Run(step, func(t *testing.T) {
			s := serve(t, &server{reply: func(_ int, at, _ string) string {
				if at == step {
					return how
				}
				return ""
			}})
			c := clear(s)
			c.Timeout.Duration = 300 * time.Millisecond
			st := newStation(t, c, "a@example.com")
			began := time.Now()
			if _, err := st.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 10*c.Timeout.Duration {
				t.Errorf("took %v with a time-out of %v", took, c.Timeout.Duration)
			}
			if l := st.box.letters[0]; l.State != Queued || l.Tries != 1 {
				t.Errorf("letter %+v", l)
			}
		})
	}
}

// M-05: the connection breaks between the final dot and the reply.
func TestNoReplyAfterDot(t *testing.T) {
	s := serve(t, &server{reply: func(_ int, at, _ string) string {
		if at == "." {
			return drop
		}
		return ""
	}})
	st := newStation(t, clear(s), "a@example.com")
	st.run(t, 6*24*time.Hour)
	copies := s.taken()
	if len(copies) != 2 {
		t.Fatalf("%d copies", len(copies))
	}
	if copies[0] != copies[1] || !strings.Contains(copies[0], "Message-ID: <"+st.box.letters[0].ID+">") {
		t.Errorf("the copies differ, or have no fixed Message-ID:\n%s", copies[0])
	}
	if l := st.box.letters[0]; l.State != Failed || l.Unsure != 2 {
		t.Errorf("letter %+v", l)
	}
}

// fuse cuts everything after n operations, as a kill does.
type fuse struct {
	left   atomic.Int64
	killed atomic.Bool
}

var errKilled = errors.New("killed")

func (f *fuse) burn() error {
	if f.left.Add(-1) < 0 {
		f.killed.Store(true)
		return errKilled
	}
	return nil
}

// fusedConn is a connection that dies with the fuse.
type fusedConn struct {
	net.Conn
	fuse *fuse
}

func (c fusedConn) Read(b []byte) (int, error) {
	if err := c.fuse.burn(); err != nil {
		c.Close()
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c fusedConn) Write(b []byte) (int, error) {
	if err := c.fuse.burn(); err != nil {
		c.Close()
		return 0, err
	}
	return c.Conn.Write(b)
}

// M-06: killed before each operation on the network and on the outbox, in
// turn; then started again.
func TestKilledAnywhere(t *testing.T) {
	points, doubled := 0, 0
	for n := int64(0); ; n++ {
		s := serve(t, &server{})
		f := &fuse{}
		f.left.Store(n)
		st := newStation(t, clear(s), "a@example.com")
		fused, err := newSMTP(clear(s), config.Secret{}, func(ctx context.Context, network, address string) (net.Conn, error) {
			if err := f.burn(); err != nil {
				return nil, err
			}
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return fusedConn{conn, f}, err
		})
		if err != nil {
			t.Fatal(err)
		}
		whole := st.Submit
		st.Submit, st.box.before = fused, f.burn
		_, _ = st.Run(t.Context())
		s.open.Wait()
		if !f.killed.Load() {
			break
		}
		points++
		gap := len(s.taken()) == 1 && st.box.letters[0].State != Sent
		st.Submit, st.box.before = whole, nil
		st.now = st.now.Add(24 * time.Hour)
		st.run(t, 0)
		want := 1
		if gap {
			want = 2 // it had arrived, and nobody could know
			doubled++
		}
		if got := len(s.taken()); got != want || st.box.letters[0].State != Sent {
			t.Errorf("killed before operation %d: %d copies, want %d; letter %+v", n, got, want, st.box.letters[0])
		}
	}
	if points < 15 || doubled == 0 || doubled > 4 {
		t.Errorf("%d points, %d of them in the gap", points, doubled)
	}
	t.Logf("%d points, %d of them in the gap after the final dot", points, doubled)
}

// M-08: one of three recipients is refused; the others are not sent again.
func TestOneOfThree(t *testing.T) {
	var refusing atomic.Bool
	refusing.Store(true)
	s := serve(t, &server{reply: func(_ int, at, line string) string {
		if at == "RCPT" && strings.Contains(line, "b@") && refusing.Load() {
			return "452 4.2.2 mailbox full"
		}
		return ""
	}})
	st := newStation(t, clear(s), "a@example.com", "b@example.com", "c@example.com")
	st.run(t, time.Hour)
	refusing.Store(false)
	st.run(t, 5*time.Hour)
	per := map[string]int{}
	for _, text := range s.taken() {
		m, err := netmail.ReadMessage(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		per[m.Header.Get("To")]++
	}
	if len(per) != 3 || per["<a@example.com>"] != 1 || per["<b@example.com>"] != 1 || per["<c@example.com>"] != 1 {
		t.Errorf("copies: %v", per)
	}
}

// The same report is not queued twice, whatever became of the first.
func TestSameReportOnce(t *testing.T) {
	s := serve(t, &server{})
	st := newStation(t, clear(s), "a@example.com")
	for range 3 {
		if st.add(t, "A@example.com") {
			t.Error("queued twice")
		}
		st.run(t, time.Hour)
	}
	if n := len(s.taken()); n != 1 {
		t.Errorf("%d copies", n)
	}
}

// A letter that nobody takes is given up after five days, not tried for ever.
func TestGivenUp(t *testing.T) {
	s := serve(t, &server{reply: func(int, string, string) string { return "421 4.3.2 closed" }})
	st := newStation(t, clear(s), "a@example.com")
	st.run(t, 7*24*time.Hour)
	if l := st.box.letters[0]; l.State != Failed || l.Tries < 20 || l.Tries > 50 {
		t.Errorf("letter %+v", l)
	}
	t.Logf("%d tries in five days", st.box.letters[0].Tries)
}

// Stopped while a server hangs: the letter stays queued, and Run says why.
func TestStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := serve(t, &server{reply: func(_ int, at, _ string) string {
		if at == "RCPT" {
			stop()
			return hang
		}
		return ""
	}})
	c := clear(s)
	c.Timeout.Duration = time.Minute
	st := newStation(t, c, "a@example.com")
	began := time.Now()
	if _, err := st.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v", err)
	}
	if l := st.box.letters[0]; l.State != Queued || time.Since(began) > 5*time.Second {
		t.Errorf("after %v: letter %+v", time.Since(began), l)
	}
}

func TestSendmail(t *testing.T) {
	for _, c := range []struct {
		name, script string
		want         State
	}{
		{"taken", `cat > "$(dirname "$0")/mail"; echo "$@" > "$(dirname "$0")/args"`, Sent},
		{"no such user", "cat >/dev/null; echo unknown user >&2; exit 67", Failed},
		{"try again", "cat >/dev/null; exit 75", Queued},
		{"missing", "", Queued},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			program := filepath.Join(dir, "sendmail")
			if c.script != "" {
				if err := os.WriteFile(program, []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			conf := config.SMTP{Sendmail: program, Timeout: config.Duration{Duration: 10 * time.Second}}
			st := newStation(t, conf, "a@example.com")
			st.run(t, 0)
			if l := st.box.letters[0]; l.State != c.want {
				t.Errorf("letter %+v", l)
			}
			if c.want != Sent {
				return
			}
			args, _ := os.ReadFile(filepath.Join(dir, "args"))
			text, _ := os.ReadFile(filepath.Join(dir, "mail"))
			if string(args) != "-i -f repute@example.com -- a@example.com\n" || strings.Contains(string(text), "\r") ||
				!strings.Contains(string(text), "Subject: week 47\n") {
				t.Errorf("args %q, mail:\n%s", args, text)
			}
		})
	}
}
