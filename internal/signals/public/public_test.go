package public

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// serve answers A questions from a table, on a port of this machine.
func serve(t *testing.T, table map[string]string) *Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	up := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		name := strings.TrimSuffix(q.Question[0].Name, ".")
		ip, ok := table[name]
		switch _, zone, _ := strings.Cut(name, "."); {
		case strings.HasSuffix(zone, "everybody.example"):
			ip, ok = "127.0.0.2", true
		case strings.HasSuffix(zone, "parked.example"):
			ip, ok = "198.51.100.80", true
		case strings.HasSuffix(zone, "broken.example"):
			m.Rcode = dns.RcodeServerFailure
		case !ok:
			m.Rcode = dns.RcodeNameError
		}
		if ok {
			rr, err := dns.NewRR(q.Question[0].Name + " 60 IN A " + ip)
			if err != nil {
				t.Error(err)
			}
			m.Answer = append(m.Answer, rr)
		}
		if err := w.WriteMsg(m); err != nil {
			t.Error(err)
		}
	})}
	go func() { _ = s.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = s.Shutdown() })
	return &Resolver{Server: conn.LocalAddr().String(), Timeout: 5 * time.Second}
}

func TestWorks(t *testing.T) {
	r := serve(t, map[string]string{
		"2.0.0.127.zen.example":     "127.0.0.4",
		"2.0.0.127.refuses.example": "127.255.255.254",
	})
	for list, want := range map[string]string{
		"zen.example":       "",
		"refuses.example":   "refuses this resolver",
		"gone.example":      "does not list 127.0.0.2",
		"everybody.example": "lists everybody",
		"parked.example":    "lists everybody",
		"broken.example":    "SERVFAIL",
	} {
		err := r.Works(t.Context(), list)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", list, err, want)
		}
	}
}

func TestListedAndScore(t *testing.T) {
	r := serve(t, map[string]string{
		"11.2.0.192.zen.example":       "127.0.0.4",
		"12.2.0.192.zen.example":       "127.255.255.255",
		"11.2.0.192.score.example":     "127.0.4.98",
		"12.2.0.192.score.example":     "127.0.4.180",
		reversed6 + ".zen.example":     "127.0.0.2",
		"11.2.0.192.everybody.example": "127.0.0.2",
	})
	day := time.Date(2025, 11, 24, 13, 0, 0, 0, time.UTC)
	for text, want := range map[string]uint32{"192.0.2.11": 1, "192.0.2.13": 0, "2001:db8::77": 1} {
		rec, err := r.Listed(t.Context(), "zen.example", netip.MustParseAddr(text), day)
		if err != nil || rec.K != want || rec.N != 1 || rec.Day != 1763942400 || rec.IP != text {
			t.Errorf("%s: %+v, %v", text, rec, err)
		}
	}
	var useless *UselessError
	if _, err := r.Listed(t.Context(), "zen.example", netip.MustParseAddr("192.0.2.12"), day); !errors.As(err, &useless) {
		t.Errorf("an error code is taken for a listing: %v", err)
	}
	rec, ok, err := r.Score(t.Context(), "score.example", netip.MustParseAddr("192.0.2.11"), day)
	if err != nil || !ok || rec.Value != 98 {
		t.Errorf("score %+v %v %v", rec, ok, err)
	}
	if _, ok, err := r.Score(t.Context(), "score.example", netip.MustParseAddr("192.0.2.13"), day); ok || err != nil {
		t.Errorf("a score of nothing: %v %v", ok, err)
	}
	if _, _, err := r.Score(t.Context(), "score.example", netip.MustParseAddr("192.0.2.12"), day); !errors.As(err, &useless) {
		t.Errorf("180 is taken for a score: %v", err)
	}
}

const reversed6 = "7.7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"

func TestDeadServer(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") // takes questions, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := &Resolver{Server: conn.LocalAddr().String(), Timeout: 20 * time.Millisecond}
	if err := r.Works(t.Context(), "zen.example"); err == nil {
		t.Error("silence is taken for an answer")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Works(ctx, "zen.example"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
