package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
)

// SMTP says how mail leaves: over SMTP to Host, or through a local sendmail
// program. With neither, nothing can be mailed.
type SMTP struct {
	Host     string   `toml:"host"`
	Port     int      `toml:"port"` // 0: 587, with tls = "tls" 465
	TLS      string   `toml:"tls"`  // StartTLS, ImplicitTLS or NoTLS
	CAFile   string   `toml:"ca_file"`
	User     string   `toml:"user"`
	Timeout  Duration `toml:"timeout"` // of one send, from connecting to the last reply
	From     Address  `toml:"from"`
	Sendmail string   `toml:"sendmail"` // path of the program

	PasswordFile string `toml:"password_file"`
	Credential   string `toml:"credential"` // name of a systemd credential (LoadCredential=)
}

// How a connection is protected. The certificate is verified in the first two.
const (
	StartTLS    = "starttls" // required, never given up when the server does not offer it
	ImplicitTLS = "tls"      // from the first byte, RFC 8314
	NoTLS       = "none"     // never with a password
)

// Configured tells whether mail can leave at all.
func (s *SMTP) Configured() bool { return s.Host != "" || s.Sendmail != "" }

// TCPPort returns the port to connect to.
func (s *SMTP) TCPPort() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.TLS == ImplicitTLS:
		return 465
	}
	return 587 // RFC 6409 section 3.1
}

// Password reads the password from its file or its systemd credential; the
// zero Secret where none is configured. env is asked for CREDENTIALS_DIRECTORY.
func (s *SMTP) Password(env func(string) string) (Secret, error) {
	switch {
	case s.PasswordFile != "":
		return ReadSecret(s.PasswordFile)
	case s.Credential != "":
		dir := env("CREDENTIALS_DIRECTORY")
		if dir == "" {
			return Secret{}, fmt.Errorf("smtp: credential %q: systemd gave no credentials; the unit needs LoadCredential=%s:/path", s.Credential, s.Credential)
		}
		return ReadSecret(filepath.Join(dir, s.Credential))
	}
	return Secret{}, nil
}

// Secret is a password. However it is printed or logged, it shows nothing.
type Secret struct{ text string }

// NewSecret wraps a password.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the password itself, for the one place that needs it.
func (s Secret) Reveal() string { return s.text }

// IsZero tells whether there is none.
func (s Secret) IsZero() bool { return s.text == "" }

// Format prints a placeholder for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "(hidden)") }

// LogValue keeps it out of logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("(hidden)") }

// MarshalText keeps it out of JSON and TOML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("(hidden)"), nil }

// maxSecret is far above any password, and stops a file named by mistake.
const maxSecret = 4096

// ReadSecret reads the first line of a file that only its owner, and perhaps
// its group, may read.
func ReadSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return Secret{}, fmt.Errorf("secret: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Secret{}, fmt.Errorf("secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Secret{}, fmt.Errorf("secret: %s is not a regular file", path)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return Secret{}, fmt.Errorf("secret: everybody may read %s; run: chmod 600 %s", path, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return Secret{}, fmt.Errorf("secret: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if line == "" || len(text) > maxSecret {
		return Secret{}, fmt.Errorf("secret: %s must hold the password on its first line, at most %d bytes", path, maxSecret)
	}
	return Secret{line}, nil
}
