package follow

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"repute/delivery"
	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/ingest"
	"repute/internal/store"
)

func TestHeartbeat(t *testing.T) {
	now := time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC)
	h := newHeartbeat(now)
	// Two weeks: a line a minute by day, one every 50 minutes by night.
	for range (14*24 + 12) * 60 {
		now = now.Add(time.Minute)
		night := now.Hour() < 6
		if !night || now.Minute() == 0 || now.Minute() == 50 {
			h.lines(now, 1)
		}
		if since, ok := h.silent(now); ok {
			t.Fatalf("%v: a usual night is told as silence since %v", now, since)
		}
	}
	day := time.Date(2025, 11, 17, 12, 0, 0, 0, time.UTC)
	h.lines(day, 1)
	if _, ok := h.silent(day.Add(14 * time.Minute)); ok {
		t.Error("told after 14 minutes")
	}
	if since, ok := h.silent(day.Add(20 * time.Minute)); !ok || !since.Equal(day) {
		t.Errorf("20 minutes of silence at noon are not told: %v %v", since, ok)
	}
	if _, ok := h.silent(day.Add(30 * time.Minute)); ok {
		t.Error("told twice")
	}
	h.lines(day.Add(40*time.Minute), 1)
	if _, ok := h.silent(day.Add(80 * time.Minute)); !ok {
		t.Error("a second silence is not told")
	}
}

func TestMeter(t *testing.T) {
	m := NewMeter()
	m.committed(&ingest.Committed{Path: "/var/log/mail.log", Coverage: store.Coverage{Lines: 10, Events: 7, Irrelevant: 2, NotUnderstood: 1}})
	for _, b := range []ingest.Booked{
		{First: true, Class: delivery.ClassAccepted},
		{First: true, Class: delivery.ClassRejectPolicy, Verdict: delivery.Verdict{Reason: delivery.Blocklist}},
		{Class: delivery.ClassRejectPolicy, Verdict: delivery.Verdict{Reason: delivery.Blocklist}}, // a retry
	} {
		if err := m.event(&b); err != nil {
			t.Fatal(err)
		}
	}
	day := time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC)
	m.scored(&analysis.Result{Estimates: []inference.Estimate{
		{Day: day.AddDate(0, 0, -1), IP: "192.0.2.9", Receiver: "gmail", Score: 1},
		{Day: day, IP: "192.0.2.1", Receiver: "gmail", Score: 97, Lo: 90, Hi: 99, Evidence: 7},
		{Day: day, IP: "192.0.2.2", Receiver: "gmail", Score: 50, Lo: 10, Hi: 90, Unknown: true},
	}}, time.Second)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Serve(t.Context(), l) }()
	get := func(path string) (int, string) {
		r, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(text)
	}
	_, text := get("/metrics")
	for _, want := range []string{
		`repute_lines_total{kind="event",log="/var/log/mail.log"} 7`, `repute_score{ip="192.0.2.1",receiver="gmail"} 97`,
		`repute_score_lo{ip="192.0.2.2",receiver="gmail"} 10`, `repute_first_outcomes_total{class="accepted"} 1`, `repute_reasons_total{reason="blocklist"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, no := range []string{`repute_score{ip="192.0.2.2"`, `192.0.2.9`} {
		if strings.Contains(text, no) {
			t.Errorf("%s is told", no)
		}
	}
	if status, _ := get("/healthz"); status != 200 {
		t.Errorf("healthz %d", status)
	}
	m.alive.Store(time.Now().Add(-time.Hour).Unix())
	if status, _ := get("/healthz"); status != 503 {
		t.Errorf("healthz after an hour without progress: %d", status)
	}
	if status, _ := get("/nothing"); status != 404 {
		t.Errorf("unknown path: %d", status)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Host = "rebind.example"
	localOnly(http.NotFoundHandler()).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("a stranger's name for this machine: %d", w.Code)
	}
}

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	env := func(name string) string {
		return map[string]string{"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "120000000"}[name]
	}
	if err := Notify(env, "READY=1"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("%q %v", b[:n], err)
	}
	if every := WatchdogEvery(env); every != time.Minute {
		t.Errorf("watchdog every %v", every)
	}
	if err := Notify(func(string) string { return "" }, "READY=1"); err != nil {
		t.Error(err)
	}
}

func TestCoverage(t *testing.T) {
	now := time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC)
	w := &coverage{hour: now}
	told := 0
	hour := func(events, notUnderstood int64) {
		for range 4 {
			now = now.Add(15 * time.Minute)
			if _, _, fell := w.add(now, events/4, notUnderstood/4); fell {
				told++
			}
		}
	}
	for range 48 {
		hour(10_000, 120)
		hour(40, 40) // too few lines to tell
	}
	if told != 0 {
		t.Errorf("%d alerts of a usual share", told)
	}
	hour(6_000, 4_000)
	if told != 1 {
		t.Errorf("%d alerts of 40 %% not understood", told)
	}
}
