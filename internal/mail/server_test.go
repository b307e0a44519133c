package mail

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// Replies of a script that are no replies.
const (
	drop = "drop" // close the connection
	hang = "hang" // say nothing more until the client goes
	slow = "slow" // one byte now and then, for ever
)

// server is an SMTP server that follows a script.
type server struct {
	ln net.Listener
	// reply is asked for each step: "connect", the commands' verbs, and "."
	// for the end of a message. "" is the usual reply.
	reply func(session int, step, line string) string
	tls   *tls.Config // offers STARTTLS where set
	auth  bool        // offers AUTH PLAIN
	// implicit makes it speak TLS from the first byte.
	implicit *tls.Config

	mu       sync.Mutex
	sessions int
	copies   []string // messages whose end was seen, whatever was answered
	heard    bytes.Buffer
	open     sync.WaitGroup
}

func serve(t *testing.T, s *server) *server {
	t.Helper()
	return serveAt(t, s, "127.0.0.1:0")
}

func serveAt(t *testing.T, s *server, address string) *server {
	t.Helper()
	var err error
	if s.ln, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := s.ln.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.sessions++
			n := s.sessions
			s.mu.Unlock()
			s.open.Go(func() { s.session(conn, n) })
		}
	}()
	t.Cleanup(func() { s.ln.Close() })
	return s
}

func (s *server) port() int { return s.ln.Addr().(*net.TCPAddr).Port }

func (s *server) taken() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.copies...)
}

// note keeps what came in clear.
func (s *server) note(line string, clear bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if clear {
		s.heard.WriteString(line)
	}
}

func (s *server) session(conn net.Conn, n int) {
	defer func() { conn.Close() }()
	if s.implicit != nil {
		conn = tls.Server(conn, s.implicit)
	}
	in, clear := bufio.NewReader(conn), true
	step := "connect"
	line := ""
	for {
		answer := s.answer(n, step, line)
		switch answer {
		case drop:
			return
		case hang:
			_, _ = in.ReadByte()
			_, _ = in.ReadString(0)
			return
		case slow:
			for range time.Tick(20 * time.Millisecond) {
				if _, err := conn.Write([]byte("2")); err != nil {
					return
				}
			}
		}
		if _, err := fmt.Fprintf(conn, "%s\r\n", strings.ReplaceAll(answer, "\n", "\r\n")); err != nil {
			return
		}
		switch {
		case step == "STARTTLS" && answer[0] == '2':
			secure := tls.Server(conn, s.tls)
			conn, clear, in = secure, false, bufio.NewReader(secure)
		case step == "DATA" && answer[0] == '3':
			text, err := message(in)
			if err != nil {
				return
			}
			s.note(text, clear)
			s.mu.Lock()
			s.copies = append(s.copies, text)
			s.mu.Unlock()
			step, line = ".", ""
			continue
		case step == "QUIT":
			return
		}
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
		s.note(line, clear)
		step, _, _ = strings.Cut(strings.TrimSpace(line), " ")
		step = strings.ToUpper(step)
	}
}

// message reads up to the line with a single dot.
func message(in *bufio.Reader) (string, error) {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return "", err
		}
		if line == ".\r\n" {
			return text.String(), nil
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
}

func (s *server) answer(n int, step, line string) string {
	if s.reply != nil {
		if r := s.reply(n, step, line); r != "" {
			return r
		}
	}
	switch step {
	case "connect":
		return "220 mx.example.com ESMTP"
	case "EHLO":
		lines := []string{"250-mx.example.com"}
		if s.tls != nil {
			lines = append(lines, "250-STARTTLS")
		}
		if s.auth {
			lines = append(lines, "250-AUTH PLAIN LOGIN")
		}
		return strings.Join(append(lines, "250 8BITMIME"), "\n")
	case "DATA":
		return "354 go on"
	case "STARTTLS":
		return "220 2.0.0 ok"
	case "QUIT":
		return "221 2.0.0 bye"
	case "AUTH":
		return "235 2.7.0 ok"
	}
	return "250 2.0.0 ok"
}

// certificate makes a self-signed one for an address, and the file that makes
// it trusted.
func certificate(t *testing.T, ip string) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(ip)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, file
}
