package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	netmail "net/mail"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"repute/internal/config"
	"repute/internal/mail"
)

// patience is how long one delivery may take.
const patience = 15 * time.Second

// Webhook posts alerts as JSON. With a secret it signs them: the header
// X-Repute-Signature is "sha256=" and the hex HMAC-SHA256 of the value of
// X-Repute-Timestamp (Unix seconds), a dot, and the body. Idempotency-Key is
// the same at each try of an alert.
type Webhook struct {
	URL    string
	Secret config.Secret
	Client *http.Client
	Now    func() time.Time
}

// NewWebhook returns a rule's webhook.
func NewWebhook(rule *config.Alert, now func() time.Time) (*Webhook, error) {
	w := &Webhook{URL: rule.Webhook, Now: now, Client: &http.Client{
		Timeout: patience,
		// A connection each: alerts are rare, and net/http tries again by itself
		// on a kept one that breaks off.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: patience},
		// A redirect would take the alert to whom nobody named.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if rule.SecretFile == "" {
		return w, nil
	}
	secret, err := config.ReadSecret(rule.SecretFile)
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	w.Secret = secret
	return w, nil
}

// Deliver posts one alert. 2xx is taken; 408, 425, 429 and 5xx are tried
// again; another answer is a refusal.
func (w *Webhook) Deliver(ctx context.Context, id string, a *Alert) error {
	body, err := json.Marshal(struct {
		ID string `json:"id"`
		*Alert
	}{id, a})
	if err != nil {
		return &RefusedError{err}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return &RefusedError{err}
	}
	stamp := strconv.FormatInt(w.Now().Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "repute")
	r.Header.Set("Idempotency-Key", id)
	r.Header.Set("X-Repute-Timestamp", stamp)
	if !w.Secret.IsZero() {
		r.Header.Set("X-Repute-Signature", Sign([]byte(w.Secret.Reveal()), stamp, body))
	}
	answer, err := w.Client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	switch s := answer.StatusCode; {
	case s/100 == 2:
		return nil
	case s/100 == 5, s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests:
		return errors.New("the webhook answered " + answer.Status)
	default:
		return &RefusedError{errors.New("the webhook answered " + answer.Status)}
	}
}

// Sign is the value of X-Repute-Signature.
func Sign(secret []byte, stamp string, body []byte) string {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return "sha256=" + hex.EncodeToString(h.Sum(nil))
}

// Command runs a program with the alert on its standard input: the subject, an
// empty line, the text.
type Command struct{ Args []string }

// Deliver runs the program; an exit status other than 0 is tried again.
func (c *Command) Deliver(ctx context.Context, id string, a *Alert) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Stdin = strings.NewReader(a.Subject + "\n\n" + a.Text)
	// Nothing of our own environment, which may hold passwords.
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "REPUTE_ALERT_ID=" + id, "REPUTE_ALERT_KIND=" + a.Kind}
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", c.Args[0], err)
	}
	return nil
}

// Mail puts alerts into the outbox, which delivers them.
type Mail struct {
	From   netmail.Address
	To     []config.Address
	Outbox mail.Outbox
	Now    func() time.Time
}

// Deliver queues a letter for each address; one that is there already is not
// queued again.
func (m *Mail) Deliver(ctx context.Context, id string, a *Alert) error {
	for _, to := range m.To {
		letter, err := mail.Compose(mail.Message{
			From: m.From, To: to.Address, Subject: a.Subject, Text: a.Text, Date: m.Now(), Period: "alert-" + id, Variant: "alert",
		})
		if err != nil {
			return &RefusedError{err}
		}
		if _, err := m.Outbox.Add(ctx, letter); err != nil {
			return err
		}
	}
	return nil
}
