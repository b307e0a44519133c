package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message/mail"

	"repute/internal/realmta"
	"repute/internal/signals/mailbox"
)

// TestReportMail sends a week's report through a real Postfix (STARTTLS, SASL)
// into a real Dovecot and reads it there over IMAP: structure, images, headers,
// and each recipient once however often it is asked for.
func TestReportMail(t *testing.T) {
	d := realmta.StartDovecot(t, map[string]string{"boss": "b0ss", "postmaster": "p0st", "sender": "s3nd"})
	p := realmta.StartPostfix(t,
		"virtual_mailbox_domains = example.com",
		fmt.Sprintf("virtual_transport = lmtp:inet:127.0.0.1:%d", d.LMTP),
		"smtpd_tls_security_level = encrypt", "smtpd_tls_auth_only = yes",
		"smtpd_tls_cert_file = "+d.CAFile, "smtpd_tls_key_file = "+d.KeyFile,
		"smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = dovecot", fmt.Sprintf("smtpd_sasl_path = inet:127.0.0.1:%d", d.Auth),
		"smtpd_recipient_restrictions = permit_sasl_authenticated, reject")
	dir := t.TempDir()
	config := filepath.Join(dir, "repute.toml")
	password := filepath.Join(dir, "password")
	for path, text := range map[string]string{
		password: "s3nd\n",
		config: fmt.Sprintf(`[time]
zone = "Asia/Tokyo"
[[sender]]
sender_domain = "news.bento.example"
ip = "192.0.2.14"
[report]
list_id = "repute.example.com"
[[recipient]]
address = "Der Chef <boss@example.com>"
reports = "summary"
lang = "ja"
[[recipient]]
address = "postmaster@example.com"
[smtp]
host = "127.0.0.1"
port = %d
ca_file = %q
user = "sender"
password_file = %q
from = "repute <repute@example.com>"
`, p.Port, d.CAFile, password),
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db := filepath.Join(dir, "r.duckdb")
	repute := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(t.Context(), append(args, "--config", config, "--db", db), strings.NewReader(""), &out, &out); got != want {
			t.Fatalf("repute %v: exit %d, want %d\n%s", args, got, want, out.String())
		}
		return out.String()
	}
	repute(0, "ingest", "../../sample-logs/postfix-a")
	if out := repute(0, "report", "--week", "2026-W01", "--email"); !strings.Contains(out, "2 sent, 0 waiting, 0 failed") {
		t.Error(out)
	}
	if out := repute(0, "report", "--week", "2026-W01", "--email"); !strings.Contains(out, "0 sent, 0 waiting, 0 failed") || !strings.Contains(out, "boss@example.com has the report") {
		t.Error(out)
	}
	if out := repute(0, "report", "--outbox", "--format", "csv"); strings.Count(out, ",sent,1,") != 2 {
		t.Error(out)
	}

	boss := inbox(t, d, "boss", "b0ss")
	if len(boss) != 1 {
		t.Fatalf("%d mails", len(boss))
	}
	if boss[0].attached != 0 || boss[0].images == 0 || !strings.Contains(boss[0].html, `src="cid:trend-1"`) {
		t.Errorf("the summary has %d attachments and %d images", boss[0].attached, boss[0].images)
	}
	// In the recipient's language; the header is ASCII (RFC 2047).
	subject, err := boss[0].header.Subject()
	if raw := boss[0].header.Get("Subject"); err != nil || !strings.Contains(subject, "へ低下") || !strings.HasPrefix(raw, "=?UTF-8?") && !strings.HasPrefix(raw, "[repute]") {
		t.Errorf("subject %q (%s): %v", subject, raw, err)
	}
	if !strings.Contains(boss[0].text, "■ 今期の変化") || !strings.Contains(boss[0].html, `<html lang="ja">`) || !strings.Contains(boss[0].html, "初回受理率") {
		t.Errorf("the mail is not in Japanese\n%s", boss[0].text)
	}
	full := inbox(t, d, "postmaster", "p0st")[0]
	if full.attached != 1 || !strings.Contains(full.text, "The full report is attached (report-2026-W01.html)") {
		t.Errorf("the report has %d attachments\n%s", full.attached, full.text)
	}
	for name, want := range map[string]string{
		"Auto-Submitted": "auto-generated", "List-Id": "<repute.example.com>", "From": "repute@example.com", "Message-Id": "repute.2026-W01.",
		"Subject": "[repute] 2026-W01: 192.0.2.",
	} {
		if got := full.header.Get(name); !strings.Contains(got, want) {
			t.Errorf("%s: %s", name, got)
		}
	}

	if err := os.WriteFile(password, []byte("wrong\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := repute(75, "report", "--week", "2026-W02", "--email"); !strings.Contains(out, "2 waiting") || strings.Contains(out, "wrong") {
		t.Error(out)
	}
}

type received struct {
	header           mail.Header
	text, html       string
	images, attached int
}

// inbox waits for a user's first mail, and reads all there are.
func inbox(t *testing.T, d *realmta.Dovecot, user, password string) (out []received) {
	t.Helper()
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	a := &mailbox.Account{Host: "127.0.0.1", Port: d.Port, CAs: pool, User: user, Password: password, Timeout: 20 * time.Second}
	for range 100 {
		box, err := a.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = box.Read(context.Background(), mailbox.Folder{Name: "INBOX"}, mailbox.Mark{}, func(m mailbox.Message) error {
			out = append(out, parts(t, m.Body))
			return nil
		})
		if err := box.Close(); err != nil {
			t.Log(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(out) > 0 {
			return out
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("no mail for %s", user)
	return nil
}

func parts(t *testing.T, body io.Reader) (r received) {
	t.Helper()
	in, err := mail.CreateReader(body)
	if err != nil {
		t.Fatal(err)
	}
	r.header = in.Header
	for {
		part, err := in.NextPart()
		if err == io.EOF {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(part.Body)
		if err != nil {
			t.Fatal(err)
		}
		switch h := part.Header.(type) {
		case *mail.InlineHeader:
			switch kind, _, _ := h.ContentType(); kind {
			case "text/plain":
				r.text = string(data)
			case "text/html":
				r.html = string(data)
			case "image/png":
				r.images++
			}
		case *mail.AttachmentHeader:
			r.attached++
		}
	}
}
