package realmta

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Postfix is a running Postfix. It takes mail on 127.0.0.1.
type Postfix struct {
	Port int
	Log  string // maillog_file
	dir  string
}

const masterCf = `%[1]d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`

const mainCf = `compatibility_level = 3.6
queue_directory = %[1]s/spool
data_directory = %[1]s/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.com
mydestination =
mynetworks =
alias_maps =
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject
maillog_file = %[1]s/mail.log
maillog_file_prefixes = %[1]s
smtpd_client_message_rate_limit = 0
smtpd_client_connection_rate_limit = 0
`

// StartPostfix starts a Postfix with the settings given after its own, as
// lines of main.cf.
func StartPostfix(t testing.TB, settings ...string) *Postfix {
	t.Helper()
	program := Need(t, "postfix")
	p := &Postfix{Port: Port(t), dir: Dir(t)}
	p.Log = filepath.Join(p.dir, "mail.log")
	conf := filepath.Join(p.dir, "conf")
	Write(t, filepath.Join(conf, "main.cf"), fmt.Sprintf(mainCf, p.dir)+strings.Join(settings, "\n")+"\n")
	Write(t, filepath.Join(conf, "master.cf"), fmt.Sprintf(masterCf, p.Port))
	for _, dir := range []string{"spool", "data"} {
		mkdir(t, filepath.Join(p.dir, dir))
	}
	run := func(args ...string) error {
		// Postfix makes its queue's folders itself, for all: whatever our umask is.
		out, err := exec.Command("sh", append([]string{"-c", `umask 022; exec "$@"`, "sh"}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %w: %s", args, err, out)
		}
		return nil
	}
	if err := run("chown", "postfix", filepath.Join(p.dir, "data")); err != nil {
		t.Fatal(err)
	}
	if err := run(program, "-c", conf, "start"); err != nil {
		log, _ := os.ReadFile(p.Log)
		t.Fatalf("%v\n%s", err, log)
	}
	t.Cleanup(func() {
		if err := run(program, "-c", conf, "stop"); err != nil {
			t.Log(err)
		}
		if t.Failed() {
			log, _ := os.ReadFile(p.Log)
			t.Logf("postfix: %s", log)
		}
	})
	awaitPort(t, p.Port)
	return p
}

// Rotate rotates the log as Postfix does it itself.
func (p *Postfix) Rotate(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("postfix", "-c", filepath.Join(p.dir, "conf"), "logrotate").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Address is where it takes mail.
func (p *Postfix) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)) }
