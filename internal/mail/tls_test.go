package mail

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"repute/internal/config"
)

// M-07: whatever is done to TLS, the password is not seen.
func TestTLS(t *testing.T) {
	good, ca := certificate(t, "127.0.0.1")
	other, _ := certificate(t, "127.0.0.1")
	wrongName, wrongCA := certificate(t, "192.0.2.1")
	stripped := func(_ int, at, _ string) string {
		if at == "STARTTLS" {
			return "454 4.7.0 TLS not available"
		}
		return ""
	}
	for _, c := range []struct {
		name string
		s    *server
		ca   string
		sent bool
	}{
		{"verified", &server{tls: good, auth: true}, ca, true},
		{"self-signed", &server{tls: good, auth: true}, "", false},
		{"another certificate", &server{tls: other, auth: true}, ca, false},
		{"another name", &server{tls: wrongName, auth: true}, wrongCA, false},
		{"not offered", &server{auth: true}, ca, false},
		{"refused", &server{tls: good, auth: true, reply: stripped}, ca, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.s)
			conf := clear(s)
			conf.TLS, conf.User, conf.CAFile = config.StartTLS, "repute-user", c.ca
			st := newStation(t, conf, "a@example.com")
			if _, err := st.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			l := st.box.letters[0]
			if (l.State == Sent) != c.sent || (len(s.taken()) == 1) != c.sent || l.State == Failed {
				t.Errorf("letter %+v, %d copies", l, len(s.taken()))
			}
			s.open.Wait()
			shown := s.heard.String() + fmt.Sprintf("%+v", st.box.letters)
			for _, secret := range secrets() {
				if strings.Contains(shown, secret) {
					t.Errorf("%q was shown: %s", secret, shown)
				}
			}
		})
	}
}

// TLS from the first byte, with a log-in.
func TestImplicitTLS(t *testing.T) {
	good, ca := certificate(t, "127.0.0.1")
	s := serve(t, &server{implicit: good, auth: true})
	conf := clear(s)
	conf.TLS, conf.User, conf.CAFile = config.ImplicitTLS, "repute-user", ca
	st := newStation(t, conf, "a@example.com")
	st.run(t, 0)
	if len(s.taken()) != 1 || st.box.letters[0].State != Sent {
		t.Errorf("%d copies, letter %+v", len(s.taken()), st.box.letters[0])
	}
}

// secrets are the password as it may appear on the wire.
func secrets() []string {
	b64 := base64.StdEncoding.EncodeToString
	return []string{"hunter2", b64([]byte("hunter2")), b64([]byte("\x00repute-user\x00hunter2"))}
}

// A wrong password is mended by us, not by the recipient: the letter waits.
func TestWrongPassword(t *testing.T) {
	good, ca := certificate(t, "127.0.0.1")
	s := serve(t, &server{tls: good, auth: true, reply: func(n int, at, _ string) string {
		if at == "AUTH" && n == 1 {
			return "535 5.7.8 wrong password"
		}
		return ""
	}})
	conf := clear(s)
	conf.TLS, conf.User, conf.CAFile = config.StartTLS, "repute-user", ca
	st := newStation(t, conf, "a@example.com")
	st.run(t, 0)
	l := st.box.letters[0]
	if l.State != Queued || !strings.Contains(l.LastError, "wrong password") {
		t.Errorf("letter %+v", l)
	}
	for _, secret := range secrets() {
		if strings.Contains(l.LastError, secret) {
			t.Errorf("the error shows the password: %s", l.LastError)
		}
	}
	st.run(t, time.Hour)
	if st.box.letters[0].State != Sent {
		t.Errorf("letter %+v", st.box.letters[0])
	}
}
