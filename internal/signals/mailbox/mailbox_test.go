package mailbox

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"repute/internal/realmta"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.eml":                       "Subject: one\n\nx\n",
		"Maildir/cur/1:2,S":           "Subject: two\n\nx\n",
		"Maildir/tmp/2":               "Subject: half\n",
		"Maildir/.Junk/new/3":         "Subject: three\n\nx\n",
		"Maildir/dovecot.index.cache": "\x01",
		"box.mbox":                    "From a@b Mon Nov 24 10:00:00 2025\nSubject: four\n\n>From here\nFrom there\n\nFrom a@b Mon Nov 24 10:00:01 2025\nSubject: five\n\nlast",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var got, faults []string
	err := Files([]string{dir, filepath.Join(dir, "absent")}, func(m Message) error {
		text, err := io.ReadAll(m.Body)
		if err != nil {
			return err
		}
		got = append(got, m.Folder+": "+strings.ReplaceAll(string(text), "\n", "|"))
		return nil
	}, func(err error) { faults = append(faults, err.Error()) })
	want := []string{
		"Junk: Subject: three||x|", "INBOX: Subject: two||x|", "",
		"box: Subject: four||From here|From there||", "box: Subject: five||last",
	}
	want[2] = filepath.Base(dir) + ": Subject: one||x|"
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v\n got %q\nwant %q", err, got, want)
	}
	if len(faults) != 1 || !strings.Contains(faults[0], "absent") {
		t.Errorf("faults %q", faults)
	}
}

func account(t *testing.T, d *realmta.Dovecot, user, password string) *Account {
	t.Helper()
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &Account{Host: "127.0.0.1", Port: d.Port, CAs: pool, User: user, Password: password, Timeout: 30 * time.Second}
}

// TestIMAP is about a real server: folders, marks, an interruption, wrong
// passwords, an unknown certificate.
func TestIMAP(t *testing.T) {
	d := realmta.StartDovecot(t, map[string]string{"seed": "right horse"})
	const mails = 1200 // more than two fetches
	for i := range 3 {
		d.Deliver(t, "seed", "Junk", fmt.Sprintf("176398%04d.junk", i), fmt.Sprintf("Subject: junk %d\r\n\r\nx\r\n", i))
	}
	for i := range mails - 1 {
		writeMail(t, d, i)
	}
	d.Deliver(t, "seed", "", "1763989999.last", "Subject: last\r\n\r\nbody\r\n")

	a := account(t, d, "seed", "right horse")
	a.Headers = true
	box, err := a.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	folders, err := box.Folders()
	if err != nil || !slices.Contains(folders, Folder{"Junk", true}) || !slices.Contains(folders, Folder{"INBOX", false}) {
		t.Fatalf("folders %v, %v", folders, err)
	}
	seen := map[string]int{}
	stop := errors.New("enough")
	take := func(limit int) func(Message) error {
		return func(m Message) error {
			if limit--; limit < 0 {
				return stop
			}
			text, err := io.ReadAll(m.Body)
			seen[string(text)]++
			return err
		}
	}
	mark, err := box.Read(t.Context(), Folder{Name: "INBOX"}, Mark{}, take(700))
	if !errors.Is(err, stop) || len(seen) != 700 {
		t.Fatalf("%d mails before the interruption, %v", len(seen), err)
	}
	mark, err = box.Read(t.Context(), Folder{Name: "INBOX"}, ParseMark(mark.String()), take(mails))
	if err != nil || len(seen) != mails {
		t.Fatalf("%d mails of %d, %v", len(seen), mails, err)
	}
	for text, n := range seen {
		if n != 1 || strings.Contains(text, "body") {
			t.Fatalf("%d times %q", n, text)
		}
	}
	if again, err := box.Read(t.Context(), Folder{Name: "INBOX"}, mark, take(0)); err != nil || again != mark {
		t.Errorf("read again: %v %v", again, err)
	}
	if _, err := box.Read(t.Context(), Folder{Name: "Absent"}, Mark{}, take(0)); err == nil || !strings.Contains(err.Error(), `folder "Absent"`) {
		t.Errorf("absent folder: %v", err)
	}

	if _, err := account(t, d, "seed", "wrong").Open(t.Context()); err == nil || !strings.Contains(err.Error(), "login refused") || strings.Contains(err.Error(), "wrong") {
		t.Errorf("wrong password: %v", err)
	}
	stranger := account(t, d, "seed", "right horse")
	stranger.CAs = x509.NewCertPool()
	if _, err := stranger.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("unknown certificate: %v", err)
	}
}

func writeMail(t *testing.T, d *realmta.Dovecot, i int) {
	t.Helper()
	realmta.Write(t, d.Path("seed", "", fmt.Sprintf("176398%06d.inbox", i)), fmt.Sprintf("Subject: mail %d\r\n\r\nbody\r\n", i))
}

// TestSilentServer is about a server that takes the connection and says nothing.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, kind := range []TLS{Plain, Implicit, StartTLS} {
		a := &Account{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, TLS: kind, Timeout: 50 * time.Millisecond}
		if _, err := a.Open(t.Context()); err == nil {
			t.Errorf("%v: silence is taken for a greeting", kind)
		}
	}
}
