package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"repute/delivery"
	"repute/internal/config"
	"repute/internal/store"
	"repute/reports"
	"repute/reports/words"
)

var (
	begin   = time.Date(2025, 11, 17, 14, 0, 0, 0, time.UTC)
	outlook = delivery.Receiver{ID: "outlook", Name: "Outlook.com"}
	gmail   = delivery.Receiver{ID: "gmail", Name: "Gmail"}
)

func fall(ip string, r delivery.Receiver, cause, entity string, drop float64) reports.Change {
	return reports.Change{
		Since: begin, Noticed: begin.Add(6 * time.Hour), IP: ip, Receiver: r, Cause: cause, Entity: entity,
		Before: 92, After: 92 - drop, Drop: drop, Confidence: 0.9,
	}
}

func TestRollUp(t *testing.T) {
	f := &reports.Findings{}
	for i := range 200 {
		f.Changes = append(f.Changes, fall(fmt.Sprintf("198.51.100.%d", i), outlook, "neighbourhood", "198.51.100.0/24", 80-float64(i)/10))
	}
	f.Changes = append(f.Changes, fall("192.0.2.1", gmail, "private", "192.0.2.1 at gmail", 34))
	back := fall("192.0.2.2", gmail, "recovery", "", -40)
	f.Changes = append(f.Changes, back)
	old := fall("192.0.2.3", gmail, "private", "", 50)
	old.Noticed = begin.Add(-time.Hour)
	over := fall("192.0.2.4", gmail, "private", "", 50)
	f.Changes = append(f.Changes, old, over)
	f.Pairs = []reports.Pair{{IP: "192.0.2.4", Receiver: gmail, Recovered: true}, {IP: "198.51.100.0", Receiver: outlook, Reason: delivery.Blocklist}}
	got := From(f, begin, words.English())
	if len(got) != 3 {
		t.Fatalf("%d alerts, want 3: the neighbourhood, the pair, the recovery: %+v", len(got), got)
	}
	if a := got[0]; len(a.IPs) != 200 || a.Kind != "blocklist" || !strings.Contains(a.Subject, "neighbourhood 198.51.100.0/24: 200 scores fell") || !strings.Contains(a.Text, "and 190 more") {
		t.Errorf("%s %q\n%s", a.Kind, a.Subject, a.Text)
	}
	if got[1].Kind != "fall" || got[2].Kind != "recovery" {
		t.Errorf("%s, %s", got[1].Kind, got[2].Kind)
	}
}

func TestText(t *testing.T) {
	f := &reports.Findings{
		Changes: []reports.Change{fall("198.51.100.7", outlook, "private", "198.51.100.7 at outlook", 34)},
		Pairs:   []reports.Pair{{IP: "198.51.100.7", Receiver: outlook, Score: 58, Lo: 41, Hi: 74}},
		Quotes:  []reports.Quote{{IP: "198.51.100.7", Receiver: outlook, Count: 35, Code: 451, Text: "4.7.650 due to \x1b[2J\u202eIP reputation (S775)"}},
		Actions: []reports.Action{{Code: "slow", IP: "198.51.100.7", Receiver: outlook, Better: "198.51.100.8", Score: 96, Link: "https://sendersupport.olc.protection.outlook.com/pm/"}},
	}
	a := From(f, begin, words.English())[0]
	if want := "[repute] Outlook.com: 198.51.100.7 fell from 92 to 58 (41-74)"; a.Subject != want {
		t.Errorf("%q, want %q", a.Subject, want)
	}
	for _, want := range []string{
		"  Score      58, was 92", "Mon 17 Nov 14:00 UTC (noticed Mon 17 Nov 20:00)", "35 first outcomes: 451 4.7.650 due to ?[2J?IP reputation",
		"Do now       Outlook.com: send slower from 198.51.100.7.", "At Outlook.com, 198.51.100.8 is at 96", "Look         repute explain 198.51.100.7 outlook",
		"https://sendersupport.olc.protection.outlook.com/pm/",
	} {
		if !strings.Contains(a.Text, want) {
			t.Errorf("no %q in\n%s", want, a.Text)
		}
	}
}

// book keeps alerts as long as a test.
type book struct{ rows []store.Alert }

func (b *book) Alerts(context.Context) ([]store.Alert, error) {
	return append([]store.Alert(nil), b.rows...), nil
}

func (b *book) PutAlerts(_ context.Context, list ...store.Alert) error {
next:
	for _, a := range list {
		for i := range b.rows {
			if b.rows[i].ID == a.ID {
				b.rows[i] = a
				continue next
			}
		}
		b.rows = append(b.rows, a)
	}
	return nil
}

// clock is a desk's time, moved by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func newDesk(c *clock, rules ...config.Alert) (*Desk, *book) {
	b := &book{}
	return &Desk{Rules: rules, Book: b, Now: c.Now, Log: slog.New(slog.DiscardHandler), Way: func(rule *config.Alert, _ string) (Way, error) {
		return NewWebhook(rule, c.Now)
	}}, b
}

func one(thing string, noticed time.Time) Alert {
	return Alert{Kind: "fall", Thing: thing, Subject: thing, Noticed: noticed, IPs: []string{"192.0.2.1"}, Receivers: []string{"gmail"}}
}

func raise(t *testing.T, d *Desk, b *book, a Alert) int {
	t.Helper()
	before := len(b.rows)
	if err := d.Raise(t.Context(), func(*words.Words) []Alert { return []Alert{a} }); err != nil {
		t.Fatal(err)
	}
	return len(b.rows) - before
}

func TestWhoIsTold(t *testing.T) {
	c := &clock{begin}
	rule := config.Alert{Name: "a", Webhook: "https://example.com/"}
	again := one("x", begin.Add(5*24*time.Hour))
	recovered := again
	recovered.Recovered = begin.Add(24 * time.Hour)
	for _, tt := range []struct {
		name   string
		change func(*config.Alert)
		second Alert
		want   int
	}{
		{"the same alert again", nil, one("x", begin), 0},
		{"the same thing within the refractory time", nil, again, 0},
		{"a shorter refractory time", func(r *config.Alert) { r.Refractory.Duration = time.Hour }, again, 1},
		{"it recovered first", nil, recovered, 1},
		{"another thing", nil, one("y", begin), 1},
	} {
		r := rule
		if tt.change != nil {
			tt.change(&r)
		}
		d, b := newDesk(c, r)
		if raise(t, d, b, one("x", begin)) != 1 {
			t.Fatal("the first is not told")
		}
		if got := raise(t, d, b, tt.second); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*config.Alert)
		want   int
	}{
		{"another kind", func(r *config.Alert) { r.On = []string{"silence"} }, 0},
		{"another receiver", func(r *config.Alert) { r.Receivers = []string{"outlook"} }, 0},
		{"another network", func(r *config.Alert) { r.IPs = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} }, 0},
		{"its network", func(r *config.Alert) { r.IPs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }, 1},
		{"three ways", func(r *config.Alert) { r.Command, r.Mail = []string{"true"}, []config.Address{{}} }, 3},
	} {
		r := rule
		tt.change(&r)
		d, b := newDesk(c, r)
		if got := raise(t, d, b, one("x", begin)); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestFalseAlarms(t *testing.T) {
	for _, tt := range []struct {
		bear float64
		want int // doubtful alerts in four weeks of one each day
	}{{0, 28}, {0.5, 2}, {1, 4}, {3, 12}} {
		c := &clock{begin}
		d, b := newDesk(c, config.Alert{Name: "a", Webhook: "https://example.com/", FalseAlarms: tt.bear})
		for i := range 28 {
			a := one(fmt.Sprint("x", i), c.now)
			a.Doubtful = true
			raise(t, d, b, a)
			c.now = c.now.Add(24 * time.Hour)
		}
		if len(b.rows) != tt.want {
			t.Errorf("%g a week: %d told in four weeks, want %d", tt.bear, len(b.rows), tt.want)
		}
		if raise(t, d, b, one("sure", c.now)) != 1 {
			t.Errorf("%g a week: a sure one is not told", tt.bear)
		}
	}
}

// TestWebhook has a hook that fails in every way; what it takes it takes once,
// in order, signed.
func TestWebhook(t *testing.T) {
	answers := []int{500, 429, 0, 200, 302, 200, 503, 200}
	var taken []string
	var keys []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if got, want := r.Header.Get("X-Repute-Signature"), Sign([]byte("secret"), r.Header.Get("X-Repute-Timestamp"), body); got != want {
			t.Errorf("signature %q, want %q", got, want)
		}
		if len(answers) == 0 {
			t.Error("one request too many")
			return
		}
		answer := answers[0]
		answers = answers[1:]
		if answer == 0 {
			panic(http.ErrAbortHandler) // a connection that breaks off
		}
		var a struct{ ID, Thing string }
		if err := json.Unmarshal(body, &a); err != nil || a.ID != r.Header.Get("Idempotency-Key") {
			t.Errorf("%s: %v", body, err)
		}
		if answer == 200 {
			taken = append(taken, a.Thing)
			keys = append(keys, a.ID)
		}
		w.Header().Set("Location", "http://example.com/")
		w.WriteHeader(answer)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer s.Close()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := &clock{begin}
	d, b := newDesk(c, config.Alert{Webhook: s.URL, SecretFile: secret})
	for _, thing := range []string{"a", "refused", "b", "c"} {
		raise(t, d, b, one(thing, begin))
		c.now = c.now.Add(time.Millisecond)
	}
	for range 40 {
		if err := d.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.now = c.now.Add(5 * time.Second)
	}
	if got := strings.Join(taken, " "); got != "a b c" {
		t.Errorf("taken: %s", got)
	}
	if b.rows[1].State != failed || b.rows[1].Tries != 1 || b.rows[0].Tries != 4 {
		t.Errorf("%+v", b.rows)
	}
	if len(answers) > 0 || len(keys) != 3 || keys[0] == keys[1] {
		t.Errorf("answers left %v, keys %v", answers, keys)
	}
}

func TestQuietAndOld(t *testing.T) {
	c := &clock{time.Date(2025, 11, 17, 23, 0, 0, 0, time.UTC)}
	rule := config.Alert{Name: "a", Command: []string{"true"}, Quiet: config.Span{From: 22 * time.Hour, To: 6 * time.Hour}}
	d, b := newDesk(c, rule)
	d.Way = func(r *config.Alert, _ string) (Way, error) { return &Command{r.Command}, nil }
	raise(t, d, b, one("x", begin))
	send := func() string {
		t.Helper()
		if err := d.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
		return b.rows[len(b.rows)-1].State
	}
	if got := send(); got != queued {
		t.Errorf("%s within the quiet hours", got)
	}
	c.now = c.now.Add(7 * time.Hour)
	if got := send(); got != sent {
		t.Errorf("%s after them: %s", got, b.rows[0].Error)
	}
	d.Rules[0].Command, d.Rules[0].Quiet = []string{"false"}, config.Span{}
	raise(t, d, b, one("y", begin))
	for range 26 * 60 {
		send()
		c.now = c.now.Add(time.Minute)
	}
	if r := b.rows[1]; r.State != failed || !strings.Contains(r.Error, "exit status 1") || r.Tries < 20 || r.Tries > 40 {
		t.Errorf("after a day: %+v", r)
	}
	raise(t, d, b, one("z", begin))
	d.Rules = nil
	if got := send(); got != failed {
		t.Errorf("%s without its rule", got)
	}
}

func TestCommand(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	t.Setenv("REPUTE_SMTP_PASSWORD", "planted")
	a := Test(begin, words.English())
	if err := (&Command{[]string{"sh", "-c", "cat >" + out + "; env >>" + out}}).Deliver(t.Context(), "7", &a); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), a.Subject+"\n\n"+a.Text) || !strings.Contains(string(text), "REPUTE_ALERT_ID=7") || strings.Contains(string(text), "planted") {
		t.Errorf("%s", text)
	}
}
