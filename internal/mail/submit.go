package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"repute/internal/config"
)

// NewSubmitter returns the way out that the configuration names.
func NewSubmitter(c config.SMTP, password config.Secret) (Submitter, error) {
	if c.Sendmail != "" {
		return &sendmail{path: c.Sendmail, timeout: c.Timeout.Duration}, nil
	}
	if c.Host == "" {
		return nil, errors.New("mail: no way out: [smtp] needs host or sendmail")
	}
	return newSMTP(c, password, (&net.Dialer{}).DialContext)
}

// smtpOut submits over SMTP.
type smtpOut struct {
	opts    []gomail.Option
	dial    gomail.DialContextFunc
	host    string
	timeout time.Duration
}

// newSMTP builds the way out over SMTP; dial makes its connections.
func newSMTP(c config.SMTP, password config.Secret, dial gomail.DialContextFunc) (*smtpOut, error) {
	roots, err := rootCAs(c.CAFile)
	if err != nil {
		return nil, err
	}
	verified := &tls.Config{ServerName: c.Host, RootCAs: roots, MinVersion: tls.VersionTLS12}
	opts := []gomail.Option{
		gomail.WithPort(c.TCPPort()),
		// The library counts its time-out twice: up to the greeting, and from
		// there to the end of the log-in.
		gomail.WithTimeout(c.Timeout.Duration / 2),
		gomail.WithTLSConfig(verified),
	}
	// Auto-discovery takes the strongest mechanism that the server offers and
	// never a password in clear without TLS.
	auth := gomail.SMTPAuthAutoDiscover
	switch c.TLS {
	case config.ImplicitTLS:
		opts = append(opts, gomail.WithSSL())
		dial = overTLS(dial, verified)
		// The library does not see that a connection of ours speaks TLS.
		auth = gomail.SMTPAuthPlainNoEnc
	case config.NoTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.User != "" {
		opts = append(opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(c.User), gomail.WithPassword(password.Reveal()))
	}
	if _, err := gomail.NewClient(c.Host, opts...); err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return &smtpOut{opts, dial, c.Host, c.Timeout.Duration}, nil
}

// overTLS makes connections that speak TLS from the first byte.
func overTLS(dial gomail.DialContextFunc, verified *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		secure := tls.Client(conn, verified)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

// rootCAs reads the certificates of a file; nil, the system's, for none.
func rootCAs(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("smtp: ca_file: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("smtp: ca_file: %s holds no certificate in PEM form", file)
	}
	return pool, nil
}

// Submit sends one letter over a connection of its own. Until the server has
// greeted us, spoken TLS and let us log in, a refusal is of us and not of the
// letter: it waits until the set-up is mended.
func (s *smtpOut) Submit(ctx context.Context, l *Letter) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	// The library leaves a connection open when a log-in fails, and its Close
	// waits for a read to end: the connection is ours to close, always, and at
	// once when we are told to stop.
	client, err := gomail.NewClient(s.host, append(s.opts[:len(s.opts):len(s.opts)], gomail.WithDialContextFunc(
		func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := s.dial(dialing, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { _ = conn.Close() })
			}
			return conn, err
		}))...)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fmt.Errorf("smtp: %w", err)
	}
	if err := transact(conn, l); err != nil {
		return err
	}
	_ = conn.Quit() // the letter is taken; a server that breaks off now changes nothing
	return nil
}

// transact is one mail transaction, RFC 5321 section 3.3.
func transact(conn *smtp.Client, l *Letter) error {
	if err := conn.Mail(l.From); err != nil {
		return said("MAIL FROM", err)
	}
	if err := conn.Rcpt(l.To); err != nil {
		return said("RCPT TO", err)
	}
	w, err := conn.Data()
	if err != nil {
		return said("DATA", err)
	}
	if _, err := w.Write(l.Body); err != nil {
		return said("message", err)
	}
	err = w.Close()
	if err == nil {
		return nil
	}
	if _, replied := errors.AsType[*textproto.Error](err); !replied {
		return &UnsureError{err}
	}
	return said("end of message", err)
}

// said makes a refusal of what the server answered with 5yz.
func said(stage string, err error) error {
	reply, ok := errors.AsType[*textproto.Error](err)
	err = fmt.Errorf("smtp: %s: %w", stage, err)
	// 421 may come at any stage, and 5yz only of the letter's own.
	if ok && reply.Code >= 500 {
		return &RefusedError{err}
	}
	return err
}

// sendmail submits through a local program with sendmail's interface.
type sendmail struct {
	path    string
	timeout time.Duration
}

// maxComplaint is how much of the program's own words is kept.
const maxComplaint = 500

// Submit runs the program. The recipient is an argument behind "--", and
// nothing is read from the headers.
func (s *sendmail) Submit(ctx context.Context, l *Letter) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.path, "-i", "-f", l.From, "--", l.To)
	cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(l.Body, []byte("\r\n"), []byte("\n")))
	cmd.WaitDelay = time.Second
	var words bytes.Buffer
	cmd.Stdout, cmd.Stderr = io.Discard, &words
	err := cmd.Run()
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w: %s", s.path, err, strings.TrimSpace(string(words.Bytes()[:min(words.Len(), maxComplaint)])))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && refusedBySendmail(exit.ExitCode()) {
		return &RefusedError{err}
	}
	return err
}

// refusedBySendmail knows sysexits.h: data error, no such user, no such host,
// permission denied. The rest is trouble that may pass.
func refusedBySendmail(status int) bool {
	switch status {
	case 65, 67, 68, 77:
		return true
	}
	return false
}
