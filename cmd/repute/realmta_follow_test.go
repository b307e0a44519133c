//go:build torture

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"repute/internal/realmta"
	"repute/internal/serve"
	"repute/internal/store"
)

// TestTorturePostfix follows a real Postfix while it sends REPUTE_MAILS (600)
// to receivers that take, defer and refuse, through its own log and its own
// rotations, and through rsyslog and logrotate's: what the follower booked is
// what a batch reads from the same files.
func TestTorturePostfix(t *testing.T) {
	t.Run("maillog_file", func(t *testing.T) {
		p := startPostfix(t)
		sent{
			log: p.Log, address: p.Address(), rotate: func() { p.Rotate(t) },
			outcome: regexp.MustCompile(`(?m)/smtp\[\d+\]: .* status=`), id: regexp.MustCompile(`\]: ([0-9A-F]{6,}): `),
		}.follow(t)
	})
	t.Run("rsyslog", func(t *testing.T) {
		syslog := startRsyslog(t)
		p := startPostfix(t, "maillog_file =")
		sent{
			log: syslog.log, address: p.Address(), rotate: func() { syslog.rotate(t) },
			outcome: regexp.MustCompile(`(?m)/smtp\[\d+\]: .* status=`), id: regexp.MustCompile(`\]: ([0-9A-F]{6,}): `),
		}.follow(t)
	})
}

// TestTortureExim is the same with a real Exim and its own exicyclog, which
// compresses what was rotated before.
func TestTortureExim(t *testing.T) {
	takes := sink(t)
	x := realmta.StartExim(t, map[string]int{
		"ok.example : example.com": takes, "soft.example": sink(t, "-f", "rcpt"), "hard.example": sink(t, "-r", "rcpt"),
	})
	sent{
		log: x.Log, address: x.Address(), rotate: func() { x.Rotate(t) },
		outcome: regexp.MustCompile(`(?m)^.{19,36} \w{6}-\w{6,11}-\w{2,4} (=>|->|==|\*\*) `), id: regexp.MustCompile(`(?m)^.{19,36} (\w{6}-\w{6,11}-\w{2,4}) `),
	}.follow(t)
}

func startPostfix(t *testing.T, settings ...string) *realmta.Postfix {
	takes := sink(t)
	return realmta.StartPostfix(t, append([]string{
		// Bounces go to example.com.
		fmt.Sprintf("transport_maps = inline:{ {ok.example=smtp:[127.0.0.1]:%d}, {example.com=smtp:[127.0.0.1]:%d}, {soft.example=smtp:[127.0.0.1]:%d}, {hard.example=smtp:[127.0.0.1]:%d} }",
			takes, takes, sink(t, "-f", "rcpt"), sink(t, "-r", "rcpt")),
		"relay_domains = ok.example, soft.example, hard.example", "smtpd_relay_restrictions = reject_unauth_destination", "smtpd_peername_lookup = no",
		"maximal_queue_lifetime = 8s", "bounce_queue_lifetime = 8s", "in_flow_delay = 0", "minimal_backoff_time = 3s", "maximal_backoff_time = 3s", "queue_run_delay = 3s",
	}, settings...)...)
}

// sent is a mail system that mail is sent through, and its log.
type sent struct {
	log, address string
	rotate       func()
	outcome, id  *regexp.Regexp // lines with an outcome; a queue id
}

// follow sends mail in four parts, with a rotation after each, and compares.
func (s sent) follow(t *testing.T) {
	t.Helper()
	realmta.Need(t, "smtp-source")
	mails := 600
	if n, err := strconv.Atoi(os.Getenv("REPUTE_MAILS")); err == nil {
		mails = n
	}
	const rotations = 4
	dir := t.TempDir()
	live, batch := filepath.Join(dir, "live.duckdb"), filepath.Join(dir, "batch.duckdb")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan string, 1)
	go func() {
		var out bytes.Buffer
		status := run(ctx, []string{"follow", s.log, "--db", live}, strings.NewReader(""), &out, &out)
		done <- fmt.Sprintf("exit %d\n%s", status, out.String())
	}()
	for range rotations {
		for _, to := range []string{"ok", "ok", "ok", "ok", "soft", "hard"} {
			c := exec.CommandContext(t.Context(), "timeout", "300", "smtp-source", "-m", strconv.Itoa(mails/rotations/6), "-s", "5", "-f", "news@example.com", "-t", "u@"+to+".example", s.address)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		}
		s.rotate()
		time.Sleep(1100 * time.Millisecond) // Postfix names the files by the second
	}
	text := settled(t, s.log)
	outcomes := s.outcome.FindAllString(text, -1)
	lines := strings.Count(text, "\n")
	awaitLines(t, live, lines)
	stop()
	out := <-done
	var said bytes.Buffer
	files, err := filepath.Glob(s.log + "*")
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool { // made by the last rotation
		info, err := os.Stat(name)
		return err == nil && info.Size() == 0
	})
	if status := run(t.Context(), append([]string{"ingest", "--db", batch}, files...), strings.NewReader(""), &said, &said); status != 0 {
		t.Fatalf("ingest: exit %d: %s", status, said.String())
	}
	a, b := openInfo(t, live), openInfo(t, batch)
	if a.info != b.info || a.info.Lines != int64(lines) || a.info.Events < int64(len(outcomes)) || len(outcomes) < mails/2 || len(files) < rotations {
		t.Errorf("%d lines and %d outcomes in %d files of %d mails\nfollowed %+v\nbatch    %+v\n%s", lines, len(outcomes), len(files), mails, a.info, b.info, out)
	}
	seen := map[string]bool{}
	for _, m := range s.id.FindAllStringSubmatch(text, -1) {
		if seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		if x, y := a.trace(t, m[1]), b.trace(t, m[1]); !slices.Equal(x, y) {
			t.Fatalf("%s: followed %v\nbatch %v", m[1], x, y)
		}
	}
	t.Logf("%d mails, %d queue ids, %d outcomes, %d lines in %d files, %d events: the same, followed and read", mails, len(seen), len(outcomes), lines, len(files), a.info.Events)
}

// sink starts Postfix's own receiver and returns its port.
func sink(t *testing.T, args ...string) int {
	t.Helper()
	port := realmta.Port(t)
	c := exec.Command(realmta.Need(t, "smtp-sink"), append(args, "-u", "nobody", fmt.Sprintf("127.0.0.1:%d", port), "256")...)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	for range 100 {
		if conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			conn.Close()
			return port
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("smtp-sink does not listen")
	return 0
}

// settled waits until nothing new is logged for longer than mail waits to be
// tried again, and returns the text of the log and what it was rotated into. The order of the files is not
// that of time.
func settled(t *testing.T, log string) (text string) {
	t.Helper()
	same := time.Now()
	for until := time.Now().Add(2 * time.Minute); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		now := rotatedText(t, log)
		if now != text {
			text, same = now, time.Now()
		}
		if time.Since(same) > 5*time.Second {
			return text
		}
	}
	t.Fatal("the mail system does not come to rest")
	return ""
}

func rotatedText(t *testing.T, log string) string {
	t.Helper()
	files, err := filepath.Glob(log + "*")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // renamed meanwhile
		}
		if z, err := gzip.NewReader(bytes.NewReader(b)); err == nil {
			if b, err = io.ReadAll(z); err != nil {
				continue // not written to its end yet
			}
		}
		all.Write(b)
	}
	return all.String()
}

func awaitLines(t *testing.T, db string, lines int) {
	t.Helper()
	var out, err bytes.Buffer
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		out.Reset()
		// The follower is this very process: DuckDB would not refuse a second handle.
		_, asked := serve.Ask(t.Context(), db+".sock", []string{"db", "info", "--db", db, "--format", "json"}, &out, &err, writeFile)
		if asked == nil && strings.Contains(out.String(), fmt.Sprintf(`"lines":%d,`, lines)) {
			return
		}
	}
	t.Errorf("never %d lines: %s%s", lines, out.String(), err.String())
}

type opened struct {
	*store.Store
	info store.Info
}

func openInfo(t *testing.T, db string) opened {
	t.Helper()
	s, err := store.Open(t.Context(), db, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	info, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info.Bytes = 0
	return opened{s, info}
}

// trace is what is known of a queue id, without the numbers of the database.
func (o opened) trace(t *testing.T, id string) (out []string) {
	t.Helper()
	steps, err := o.Trace(t.Context(), id, 1) // nobody's hash; 0 is an absent sender's
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		s.Message, s.Origin, s.Recipient = 0, 0, 0
		out = append(out, fmt.Sprint(s))
	}
	return out
}

// rsyslog is a real rsyslogd that listens at /dev/log.
type rsyslog struct {
	log string
	cmd *exec.Cmd
}

func startRsyslog(t *testing.T) *rsyslog {
	t.Helper()
	program := realmta.Need(t, "rsyslogd")
	if _, err := os.Lstat("/dev/log"); err == nil {
		t.Skip("this machine's own syslog listens at /dev/log")
	}
	dir := realmta.Dir(t)
	r := &rsyslog{log: filepath.Join(dir, "mail.log")}
	conf := filepath.Join(dir, "rsyslog.conf")
	realmta.Write(t, conf, fmt.Sprintf(`module(load="imuxsock" SysSock.Name="/dev/log" SysSock.RateLimit.Interval="0")
global(workDirectory=%q)
mail.* action(type="omfile" file=%q template="RSYSLOG_FileFormat")
`, dir, r.log))
	r.cmd = exec.Command(program, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		_ = r.cmd.Wait()
		_ = os.Remove("/dev/log")
	})
	for range 100 {
		if _, err := os.Stat("/dev/log"); err == nil {
			return r
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("rsyslogd does not listen")
	return nil
}

// rotate is what logrotate does with Debian's configuration: rename, and a
// hangup a moment later.
func (r *rsyslog) rotate(t *testing.T) {
	t.Helper()
	for i := 9; i >= 1; i-- {
		_ = os.Rename(fmt.Sprintf("%s.%d", r.log, i), fmt.Sprintf("%s.%d", r.log, i+1))
	}
	if err := os.Rename(r.log, r.log+".1"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}
