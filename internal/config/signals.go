package config

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Mailbox is a mailbox that `repute signals fetch` reads over IMAP.
type Mailbox struct {
	Name     string   `toml:"name"`     // tells it from the others
	Kind     string   `toml:"kind"`     // MailboxSeed, MailboxARF or MailboxDMARC
	Receiver string   `toml:"receiver"` // of a seed: whose mailbox it is; default: host
	Address  Address  `toml:"address"`  // of a seed: its own
	Host     string   `toml:"host"`
	Port     int      `toml:"port"` // 0: 993, with tls = "starttls" 143
	TLS      string   `toml:"tls"`  // ImplicitTLS, StartTLS or, to this machine only, NoTLS
	CAFile   string   `toml:"ca_file"`
	User     string   `toml:"user"`
	Folders  []string `toml:"folders"` // empty: of a seed all that are inbox or spam folder, else INBOX
	Timeout  Duration `toml:"timeout"` // of each step; 0: 60s

	PasswordFile string `toml:"password_file"`
	Credential   string `toml:"credential"` // name of a systemd credential
}

// What a mailbox is read for.
const (
	MailboxSeed  = "seed"
	MailboxARF   = "arf"
	MailboxDMARC = "dmarc"
)

// Signals is how outside signals are taken in.
type Signals struct {
	Trust       []string       `toml:"trust"`       // hosts whose Authentication-Results are believed
	Resolver    string         `toml:"resolver"`    // DNS server, "127.0.0.1:53"; default: the system's
	Ranges      []netip.Prefix `toml:"ranges"`      // own ranges, looked up beside the sending IPs
	BlockLists  []string       `toml:"block_lists"` // DNS block lists asked about our addresses
	SenderScore string         `toml:"sender_score"`
	Rate        int            `toml:"rate"` // DNS questions a second; 0: 10
}

// TCPPort returns the port to connect to.
func (m *Mailbox) TCPPort() int {
	switch {
	case m.Port != 0:
		return m.Port
	case m.TLS == ImplicitTLS:
		return 993 // RFC 8314 section 3.2
	}
	return 143
}

// Password reads the password from its file or its systemd credential.
func (m *Mailbox) Password(env func(string) string) (Secret, error) {
	if m.PasswordFile != "" {
		return ReadSecret(m.PasswordFile)
	}
	dir := env("CREDENTIALS_DIRECTORY")
	if dir == "" {
		return Secret{}, fmt.Errorf("mailbox %s: credential %q: systemd gave no credentials; the unit needs LoadCredential=%s:/path", m.Name, m.Credential, m.Credential)
	}
	return ReadSecret(filepath.Join(dir, m.Credential))
}

func (c *checker) mailbox(key string, m *Mailbox) {
	if m.TLS == "" {
		m.TLS = ImplicitTLS
	}
	c.oneOf(key+".kind", m.Kind, MailboxSeed, MailboxARF, MailboxDMARC)
	c.oneOf(key+".tls", m.TLS, StartTLS, ImplicitTLS, NoTLS)
	for _, field := range []struct{ name, value string }{{"name", m.Name}, {"host", m.Host}, {"user", m.User}} {
		if field.value == "" {
			c.fault(key+"."+field.name, "a mailbox needs %s", field.name)
		}
		c.plain(key+"."+field.name, field.value)
	}
	if ip, err := netip.ParseAddr(m.Host); m.TLS == NoTLS && m.Host != "localhost" && (err != nil || !ip.IsLoopback()) {
		c.fault(key+".tls", "a password is never sent without TLS to another machine")
	}
	if (m.PasswordFile == "") == (m.Credential == "") {
		c.fault(key+".password_file", "a mailbox needs either password_file or credential")
	}
	if m.Kind == MailboxSeed && m.Receiver == "" {
		c.fault(key+".receiver", "a seed mailbox needs the receiver whose it is, like \"gmail.com\"")
	}
	if m.Port < 0 || m.Port > 65535 {
		c.fault(key+".port", "%d is not a port; write 1 to 65535", m.Port)
	}
	if m.Timeout.Duration < 0 {
		c.fault(key+".timeout", "the time-out must be above 0, like \"60s\"")
	}
}

// widest is the largest range that is looked up address by address.
const widest = 256

func (c *checker) signals(s *Signals) {
	for _, name := range append(slices.Clone(s.BlockLists), s.SenderScore) {
		if strings.ContainsAny(name, " /:@") || hasControl(name) || len(name) > 200 {
			c.fault("signals.block_lists", "%q is not a DNS zone like \"zen.spamhaus.org\"", name)
		}
	}
	for _, p := range s.Ranges {
		if p != p.Masked() || p.Addr().BitLen()-p.Bits() > 8 {
			c.fault("signals.ranges", "%s is not usable: write ranges of at most %d addresses, without bits behind their length", p, widest)
		}
	}
	if s.Resolver != "" {
		host, port, err := net.SplitHostPort(s.Resolver)
		_, bad := strconv.ParseUint(port, 10, 16)
		if err != nil || bad != nil || host == "" {
			c.fault("signals.resolver", "%q is not a server like \"127.0.0.1:53\"", s.Resolver)
		}
	}
	if s.Rate < 0 || s.Rate > 1000 {
		c.fault("signals.rate", "%d is out of range; write 1 to 1000", s.Rate)
	}
}
