package ingest

import (
	"fmt"
	"strings"
	"testing"

	"repute/delivery"
	"repute/internal/store"
)

// A flood of queue ids, domains, replies and senders is bounded and counted;
// what else is in the log stays right.
func TestBounds(t *testing.T) {
	cab := newCabin(t)
	b, err := newBook(t.Context(), &cab.o)
	if err != nil {
		t.Fatal(err)
	}
	b.correlator.max = 100
	b.dict.limits = limits{origins: 10, receivers: 10, domains: 20, templates: 10, routes: 30}
	r := &reading{loop: &loop{o: &cab.o, book: b}, block: &block{}}
	id := func(n int) []byte { return fmt.Appendf(nil, "%010X", n) }
	attempt := func(n int, rcpt, relay, text string) *delivery.Event {
		e := &delivery.Event{
			Kind: delivery.Attempt, Status: delivery.Sent, Attempted: true, At: 1767571200e6 + int64(n), Host: []byte("mx1"), QueueID: id(n),
			Recipient: []byte(rcpt), RelayHost: []byte(relay), Sender: fmt.Appendf(nil, "a@sender%d.example", n), HasSender: true,
		}
		if text != "" {
			e.Status, e.Reply = delivery.Bounced, delivery.Reply{Code: 550, Text: []byte(text)}
		}
		return e
	}
	event := func(e *delivery.Event) {
		if err := b.event(r, e); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		event(attempt(n, fmt.Sprintf("x@d%d.example", n), fmt.Sprintf("mx.d%d.example", n), "no "+strings.Repeat("q", n)))
		event(attempt(n, "known@gmail.com", "gmail-smtp-in.l.google.com", ""))
	}
	if got := len(b.correlator.open); got > 100 {
		t.Errorf("%d open messages", got)
	}
	if b.correlator.evicted < 850 || b.dict.crowded < 900 {
		t.Errorf("%d given up, %d among others", b.correlator.evicted, b.dict.crowded)
	}
	d := b.dict
	if len(d.origins) > 11 || len(d.domains) > 21 || len(d.receivers) > 12 || len(d.templates) > 20 || len(d.routes) > 31 {
		t.Errorf("%d origins, %d domains, %d receivers, %d templates, %d routes", len(d.origins), len(d.domains), len(d.receivers), len(d.templates), len(d.routes))
	}
	gmail, accepted, all := int32(0), int32(0), int32(0)
	for i, receiver := range d.receivers {
		if receiver.ID == "gmail" {
			gmail = int32(i + 1)
		}
	}
	for _, r := range b.evidence.rows {
		all += r.N
		if r.Receiver == gmail && r.What == store.OutcomeOf(delivery.ClassAccepted) {
			accepted += r.N
		}
	}
	if accepted != 1000 || all != 2000 {
		t.Errorf("%d accepted at Gmail of 1000; %d attempts of 2000", accepted, all)
	}
}

// The open messages come back as they were saved, and a cut state is an error.
func TestOpenState(t *testing.T) {
	c, err := newCorrelator(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		m := c.find(&delivery.Event{Host: []byte("mx1"), QueueID: fmt.Appendf(nil, "Q%d", n), At: int64(n)})
		m.ID, m.Domain, m.Sender, m.MessageID, m.HasSender, m.Seen = int64(n), "example.com", 7, 1<<40-1, n%2 == 0, n%3 == 0
		for k := range n {
			m.Recipients = append(m.Recipients, recipient{Hash: uint64(k), Cell: cell{3600, 1, 2, 3}, Retries: 4, Class: delivery.ClassDeferSlow, Finished: k%2 == 0})
		}
		if n%5 == 0 {
			m.Trial = &trial{At: 9, Relay: "mx", Reply: delivery.Reply{Code: 450, Enhanced: delivery.Enhanced{Class: 4, Subject: 7, Detail: 28}, Stage: delivery.StageEOD, Text: []byte("later")}}
		}
	}
	state := c.save(nil)
	back, err := newCorrelator(state)
	if err != nil || len(back.open) != 50 || back.clock != c.clock {
		t.Fatalf("%d messages, %v", len(back.open), err)
	}
	for id, m := range c.open {
		got := back.open[id]
		a, b := *m, *got
		if (a.Trial == nil) != (b.Trial == nil) || a.Trial != nil && fmt.Sprintf("%+v", *a.Trial) != fmt.Sprintf("%+v", *b.Trial) {
			t.Fatalf("trial %+v, want %+v", b.Trial, a.Trial)
		}
		a.Trial, b.Trial = nil, nil
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Fatalf("%+v, want %+v", b, a)
		}
	}
	bad := 0
	for n := 2; n < len(state); n += 7 {
		if _, err := newCorrelator(state[:n]); err != nil {
			bad++
		}
	}
	if bad == 0 {
		t.Error("a cut state is read without a word")
	}
}
