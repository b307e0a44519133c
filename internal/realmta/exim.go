package realmta

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Exim is a running Exim. It takes mail on 127.0.0.1.
type Exim struct {
	Port int
	Log  string // mainlog
	exicyclog,
	dir string
}

// Its queue is run every second; mail that fails is tried again after three,
// for eight seconds. Privilege is dropped: nothing is delivered to files, and
// with a configuration of a place of its own Exim would complain.
const eximConf = `
exim_path = %[1]s
spool_directory = %[2]s/spool
log_file_path = %[2]s/log/%%slog
pid_file_path = %[2]s/exim.pid
primary_hostname = mx1.example.com
daemon_smtp_ports = %[3]d
local_interfaces = 127.0.0.1
keep_environment =
deliver_drop_privilege
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
queue_run_max = 5
log_selector = +outgoing_interface +outgoing_port +received_recipients +deliver_time +queue_time -queue_run
bounce_return_size_limit = 1K
acl_smtp_rcpt = everything
begin acl
everything:
  accept
begin routers
%[4]s
begin transports
out:
  driver = smtp
  allow_localhost
  hosts_try_fastopen = :
begin retry
* * F,8s,3s
`

const eximRouter = `
to_%[1]d:
  driver = manualroute
  domains = %[2]s
  route_list = * 127.0.0.1::%[1]d
  self = send
  transport = out
`

// StartExim starts an Exim that takes mail to anywhere and delivers each
// domain to a port of 127.0.0.1.
func StartExim(t testing.TB, to map[string]int) *Exim {
	t.Helper()
	program, exicyclog := eximProgram(t)
	owner, err := user.Lookup("Debian-exim")
	if err != nil {
		lacking(t, "needs the user Debian-exim (adduser --system --group --no-create-home Debian-exim)")
	}
	x := &Exim{Port: Port(t), dir: Dir(t), exicyclog: exicyclog}
	x.Log = filepath.Join(x.dir, "log", "mainlog")
	var routers strings.Builder
	for domain, port := range to {
		fmt.Fprintf(&routers, eximRouter, port, domain)
	}
	conf := filepath.Join(x.dir, "exim.conf")
	Write(t, conf, fmt.Sprintf(eximConf, program, x.dir, x.Port, routers.String()))
	for _, dir := range []string{"spool", "log"} {
		mkdir(t, filepath.Join(x.dir, dir))
		if out, err := exec.Command("chown", owner.Uid+":"+owner.Gid, filepath.Join(x.dir, dir)).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	var said strings.Builder
	cmd := exec.Command(program, "-C", conf, "-bdf", "-q1s")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(x.dir, "log", "paniclog"))
			t.Logf("exim: %s%s", said.String(), log)
		}
	})
	awaitPort(t, x.Port)
	return x
}

// eximProgram finds Exim and its exicyclog. Debian's packages of Exim and
// Postfix exclude each other: REPUTE_EXIM may name one that lies anywhere, with
// exicyclog beside it, and otherwise Debian's is downloaded and unpacked.
func eximProgram(t testing.TB) (program, exicyclog string) {
	t.Helper()
	if os.Geteuid() != 0 {
		lacking(t, "exim can only be started by root")
	}
	program = os.Getenv("REPUTE_EXIM")
	if path, err := exec.LookPath("exim4"); program == "" && err == nil {
		program = path
	}
	if program == "" {
		program = unpackExim(t)
	}
	return program, filepath.Join(filepath.Dir(program), "exicyclog")
}

func unpackExim(t testing.TB) string {
	t.Helper()
	dir := Dir(t)
	get := exec.Command("apt-get", "download", "exim4-daemon-light", "exim4-base")
	get.Dir = dir
	out, err := get.CombinedOutput()
	packages, _ := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(packages) != 2 {
		lacking(t, fmt.Sprintf("needs Exim: REPUTE_EXIM=/path/exim4, or a network to download it: %v: %s", err, out))
	}
	for _, name := range packages {
		if out, err := exec.Command("dpkg-deb", "-x", name, dir).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", name, err, out)
		}
	}
	return filepath.Join(dir, "usr", "sbin", "exim4")
}

// Rotate rotates the log as Exim's own script does it.
func (x *Exim) Rotate(t testing.TB) {
	t.Helper()
	c := exec.Command("sh", x.exicyclog, "-k", "20", "-l", filepath.Join(x.dir, "log", "%slog"))
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Address is where it takes mail.
func (x *Exim) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(x.Port)) }
