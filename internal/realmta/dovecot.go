package realmta

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Dovecot is a running IMAP server.
type Dovecot struct {
	Port   int    // IMAP over TLS
	Auth   int    // Dovecot's authentication for Postfix (SASL), 0 if not asked for
	LMTP   int    // delivery
	CAFile string // the certificate to trust
	KeyFile,
	dir string
}

const dovecotConf = `
base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = %[1]s/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = required
ssl_cert = <%[2]s
ssl_key = <%[3]s
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:%[1]s/home/%%n/Maildir
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%n %[1]s/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=%[1]s/home/%%n
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = create
    special_use = \Junk
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = %[4]d
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = %[5]d
  }
}
service auth {
  inet_listener sasl {
    address = 127.0.0.1
    port = %[6]d
  }
}
protocol lmtp {
  auth_username_format = %%n
}
`

// StartDovecot starts a server for users given as name to password.
func StartDovecot(t testing.TB, users map[string]string) *Dovecot {
	t.Helper()
	program := Need(t, "dovecot")
	d := &Dovecot{Port: Port(t), LMTP: Port(t), Auth: Port(t), dir: Dir(t)}
	d.CAFile, d.KeyFile = Certificate(t, d.dir)
	var list strings.Builder
	for name, password := range users {
		fmt.Fprintf(&list, "%s:%s\n", name, password)
	}
	Write(t, filepath.Join(d.dir, "users"), list.String())
	conf := filepath.Join(d.dir, "dovecot.conf")
	Write(t, conf, fmt.Sprintf(dovecotConf, d.dir, d.CAFile, d.KeyFile, d.Port, d.LMTP, d.Auth))
	if err := os.MkdirAll(filepath.Join(d.dir, "home"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(d.dir, "home"), 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-F", "-c", conf)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(d.dir, "dovecot.log"))
			t.Logf("dovecot: %s%s", out.String(), log)
		}
	})
	awaitPort(t, d.Port)
	return d
}

// Path is where a mail of a user's folder ("" is the INBOX) lies.
func (d *Dovecot) Path(user, folder, name string) string {
	box := filepath.Join(d.dir, "home", user, "Maildir")
	if folder != "" {
		box = filepath.Join(box, "."+folder)
	}
	return filepath.Join(box, "cur", name+":2,S")
}

// Deliver puts a mail into a user's folder, and hands all mails to the server.
func (d *Dovecot) Deliver(t testing.TB, user, folder, name, text string) {
	t.Helper()
	path := d.Path(user, folder, name)
	box := filepath.Dir(filepath.Dir(path))
	for _, sub := range []string{"cur", "new", "tmp"} {
		if err := os.MkdirAll(filepath.Join(box, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	Write(t, path, text)
	if out, err := exec.Command("chown", "-R", "mail:mail", filepath.Join(d.dir, "home")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}
