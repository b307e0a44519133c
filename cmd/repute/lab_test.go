package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"repute/delivery"
	"repute/internal/ingest"
	"repute/internal/sender"
	"repute/internal/store"
)

// lab holds logs of real MTAs whose every delivery is known.
const lab = "../../../shared/lab/real-mta/"

// TestLab compares the events of real Postfix and Exim logs with what really
// happened: each message found, none doubled, the class of its first outcome,
// and the sending IP.
func TestLab(t *testing.T) {
	if _, err := os.Stat(lab); err != nil {
		t.Skip("no ../shared/lab/real-mta")
	}
	raw := unpackLab(t, "raw.tar.xz") + "raw/"
	stretched := lab + "stretched/"
	truth := readLabTruth(t)
	postfixA := map[string]map[pair]*labMessage{}
	for _, run := range []struct {
		name, mta string
		exact     bool // stamps as they were, so that the receivers' records can be joined
		files     []string
	}{
		{"Postfix A, RFC 3164", "postfix-a", true, []string{raw + "mail.log"}},
		{"Postfix A, RFC 3339", "postfix-a", true, []string{raw + "mail-iso.log"}},
		{"Postfix A, RFC 5424", "postfix-a", true, []string{raw + "mail-5424.log"}},
		{"Postfix A, stretched", "postfix-a", false, []string{stretched + "mail.log.gz"}},
		{"Postfix B, postlogd", "postfix-b", true, []string{raw + "postfix-b"}},
		{"Postfix B, stretched", "postfix-b", false, []string{stretched + "postfix-b"}},
		{"Exim A", "exim-a", true, []string{raw + "exim-a"}},
		{"Exim A, stretched", "exim-a", false, []string{stretched + "exim-a"}},
		{"Exim B", "exim-b", true, []string{raw + "exim-b"}},
		{"Exim B, syslog", "exim-b", true, []string{raw + "exim-syslog.log"}},
		{"Exim B, syslog, RFC 3339", "exim-b", true, []string{raw + "exim-syslog-iso.log"}},
		{"Exim B, stretched", "exim-b", false, []string{stretched + "exim-b"}},
	} {
		got := readLab(t, run.files)
		compareLab(t, run.name, run.mta, run.exact, truth, got)
		if run.mta == "postfix-a" {
			postfixA[run.name] = got
		}
	}
	sameEvents(t, postfixA["Postfix A, RFC 3164"], postfixA["Postfix A, RFC 3339"])
	sameEvents(t, postfixA["Postfix A, RFC 3164"], postfixA["Postfix A, RFC 5424"])
}

// TestLabLearned tells nothing in advance: sending IPs are known from Exim's
// lines and from what receivers quote, or not at all, and never wrongly.
func TestLabLearned(t *testing.T) {
	if _, err := os.Stat(lab); err != nil {
		t.Skip("no ../shared/lab/real-mta")
	}
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), env: func(string) string { return "" }}
	dir, err := filepath.Abs(lab + "stretched")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir()) // no repute.toml
	r, err := a.newReading()
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.openStore(t.Context(), store.Memory, true, &r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := a.ingestInto(t.Context(), r, s, []string{dir + "/mail.log.gz", dir + "/postfix-b", dir + "/exim-a", dir + "/exim-b"}); err != nil {
		t.Fatal(err)
	}
	known, err := survey(t.Context(), r, s)
	if err != nil {
		t.Fatal(err)
	}
	right := map[string]string{
		"ml.iroha.example": "203.0.113.43", "news.hinoki.example": "203.0.113.42", "tx.hinoki.example": "203.0.113.41",
		"tx.dango.example": "198.51.100.21", "news.dango.example": "198.51.100.22", "ml.lead-mart.example": "192.0.2.13",
		"news.bento.example": "192.0.2.14", "tx.bento.example": "192.0.2.14", "tx.aoba.example": "192.0.2.11", "news.aoba.example": "192.0.2.12",
	}
	learned, attempts, all := 0, int64(0), int64(0)
	for _, k := range known {
		all += k.Count
		if k.Source.How == sender.FromLearned {
			learned++
			if right[k.Origin.Domain] != k.Source.Name {
				t.Errorf("%+v: learned %s", k.Origin, k.Source.Name)
			}
		}
		if k.Source.How != sender.Unknown {
			attempts += k.Count
		}
	}
	t.Logf("%d senders' addresses learned from quotes; %d of %d attempts told with nothing configured", learned, attempts, all)
	if learned < 7 {
		t.Errorf("%d learned, want at least 7 of 10", learned)
	}
}

// pair is a message, by its sender, which is one message's own in the lab,
// and one of its recipients.
type pair struct{ sender, recipient string }

// labMessage is what a log told of a pair.
type labMessage struct {
	firsts int
	at     int64
	class  delivery.Class
	code   uint16
	text   string // of the first outcome's reply
	sent   int
	ips    []string // resolved, of attempts
	events []string
}

// readLab reads logs as `repute parse` does.
func readLab(t *testing.T, files []string) map[pair]*labMessage {
	t.Helper()
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, log: slog.New(slog.DiscardHandler), env: func(string) string { return "" }, configPath: lab + "repute.toml"}
	r, err := a.newReading()
	if err != nil {
		t.Fatal(err)
	}
	senders := sender.New(senderRules(&r.cfg), nil)
	got := map[pair]*labMessage{}
	report, err := a.ingest(t.Context(), r, files, ingest.Options{OnEvent: func(b *ingest.Booked) error {
		if b.Kind != delivery.Attempt || b.Bounce || b.Local || b.Sender == "" {
			return nil
		}
		k := pair{b.Sender, string(b.Recipient)}
		m := got[k]
		if m == nil {
			m = &labMessage{}
			got[k] = m
		}
		if b.First {
			m.firsts++
			m.at, m.class, m.code, m.text = b.At, b.Class, b.Reply.Code, string(b.Reply.Text)
		}
		if b.Status == delivery.Sent {
			m.sent++
		}
		if b.Attempted {
			if s := senders.Resolve(b.Origin); s.How != sender.Unknown && !s.Pool && !slices.Contains(m.ips, s.Name) {
				m.ips = append(m.ips, s.Name)
			}
		}
		m.events = append(m.events, fmt.Sprint(b.At/1e6, b.Status, b.Attempted, b.First, b.Class, b.Reply.Code, b.Reply.Stage, string(b.Reply.Text), string(b.RelayIP)))
		return nil
	}})
	if err != nil {
		t.Fatal(files, err)
	}
	if c := report.Total(); c.NotUnderstood > 0 || c.Lines == 0 {
		t.Errorf("%s: %d of %d lines not understood", files, c.NotUnderstood, c.Lines)
	}
	return got
}

// compareLab counts, and fails where a share is below its mark.
func compareLab(t *testing.T, name, mta string, exact bool, truth labTruth, got map[pair]*labMessage) {
	t.Helper()
	var tried, found, doubled, accepted, sent, known, wrongIP, classed, right, ambiguous int
	wrong := map[string]int{}
	for k, fact := range truth.messages[mta] {
		if fact.attempts == 0 {
			continue
		}
		tried++
		m := got[k]
		if m == nil {
			continue
		}
		if m.firsts > 0 {
			found++
		}
		if m.firsts > 1 {
			doubled++
		}
		if fact.final == "accepted" {
			accepted++
			if m.sent > 0 {
				sent++
			}
		}
		for _, ip := range m.ips {
			known++
			if !slices.Contains(fact.sources, ip) {
				wrongIP++
			}
		}
		if !exact || m.firsts != 1 {
			continue
		}
		record := firstRecord(truth.records[fact.receiver], k, fact, m)
		if record == nil {
			wrong[fmt.Sprintf("no record of the receiver's, booked as %s %d", m.class, m.code)]++
			continue
		}
		classed++
		switch {
		case slices.Contains(labClasses[record.outcome], m.class):
			right++
		case record.outcome == "perm" && m.class == delivery.ClassContent && strings.Contains(m.text, "likely unsolicited mail"):
			// Gmail says this of a message and of an address alike.
			ambiguous++
		default:
			wrong[fmt.Sprintf("%s at %s %d is booked as %s", record.outcome, record.stage, record.code, m.class)]++
		}
	}
	share := func(n, of int) float64 { return 100 * float64(n) / float64(max(1, of)) }
	t.Logf("%-26s pairs tried %5d  found %.2f %%  doubled %d  accepted ones sent %.2f %%  sending IPs told %5d wrong %d  first class right %.2f %% of %d, ambiguous %d",
		name, tried, share(found, tried), doubled, share(sent, accepted), known, wrongIP, share(right, classed), classed, ambiguous)
	for what, n := range wrong {
		if n >= 3 {
			t.Logf("    %5d × %s", n, what)
		}
	}
	if share(found, tried) < 99.9 || doubled > 0 || wrongIP > 0 || tried == 0 {
		t.Errorf("%s: a mark is missed", name)
	}
	if exact && share(right, classed-ambiguous) < 99 {
		t.Errorf("%s: first class %.2f %%, want 99", name, share(right, classed-ambiguous))
	}
}

// firstRecord finds the receiver's decision behind a pair's first outcome: the
// last one before the log line by the same connection's addresses.
func firstRecord(records []labRecord, k pair, fact *labFact, m *labMessage) *labRecord {
	const before, after = 40e6, 1.2e6 // stamps may be whole seconds; a time-out takes its time
	end, _ := slices.BinarySearchFunc(records, m.at+after, func(r labRecord, at int64) int { return cmp.Compare(r.at, at) })
	var early *labRecord
	for i := end - 1; i >= 0 && records[i].at > m.at-before; i-- {
		r := &records[i]
		if r.code != m.code || !slices.Contains(fact.sources, r.source) && !slices.Contains(fact.planned, r.source) {
			continue
		}
		if r.sender == k.sender && (r.recipient == k.recipient || r.recipient == "") {
			return r
		}
		if r.sender == "" && early == nil {
			early = r
		}
	}
	return early
}

// labClasses are the classes that each of the receivers' decisions may be
// booked under.
var labClasses = map[string][]delivery.Class{
	"accept":      {delivery.ClassAccepted},
	"temp":        {delivery.ClassDeferPolicy, delivery.ClassDeferSlow, delivery.ClassRejectPolicy, delivery.ClassThrottled},
	"perm":        {delivery.ClassRejectPolicy, delivery.ClassRejectGeneric},
	"grey":        {delivery.ClassGreylisted, delivery.ClassDeferSlow},
	"content":     {delivery.ClassContent},
	"full":        {delivery.ClassMailboxFull},
	"unknown":     {delivery.ClassUnknownUser},
	"disabled":    {delivery.ClassUnknownUser},
	"drop":        {delivery.ClassConnection, delivery.ClassDeferPolicy},
	"hang":        {delivery.ClassConnection},
	"outage":      {delivery.ClassConnection},
	"lost-answer": {delivery.ClassConnection},
}

// sameEvents compares two dialects of one run.
func sameEvents(t *testing.T, a, b map[pair]*labMessage) {
	t.Helper()
	differ := 0
	for k, m := range a {
		if o := b[k]; o == nil || !slices.Equal(m.events, o.events) {
			if differ++; differ <= 3 {
				t.Errorf("%v:\n%+v\n%+v", k, m, o)
			}
		}
	}
	if differ > 0 || len(a) != len(b) {
		t.Errorf("%d of %d and %d pairs differ between two dialects", differ, len(a), len(b))
	}
}
