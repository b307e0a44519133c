package inference

import (
	"math"
	"testing"
	"time"

	"repute/delivery"
)

// feed gives a model days of mail that one receiver accepts and another puts
// off half of, and signals; it returns the last day's estimates by receiver.
func feed(t *testing.T, list []delivery.Signal, days int) map[string]Estimate {
	t.Helper()
	m := New(Defaults())
	m.AddSignals(list)
	out := map[string]Estimate{}
	start := time.Date(2025, 11, 1, 0, 0, 0, 0, time.UTC)
	evidence := func(yield func(delivery.Evidence, error) bool) {
		for h := range days * 24 {
			at := start.Add(time.Duration(h) * time.Hour).Unix()
			for _, e := range []delivery.Evidence{
				{Hour: at, IP: "192.0.2.1", Receiver: "inboxes", Counts: delivery.Counts{Accepted: 10}},
				{Hour: at, IP: "192.0.2.1", Receiver: "folders", Counts: delivery.Counts{Accepted: 10}},
			} {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
	for e, err := range m.Estimate(evidence) {
		if err != nil {
			t.Fatal(err)
		}
		out[e.Receiver] = e
	}
	return out
}

func seeds(receiver string, from, days, n, k int) (out []delivery.Signal) {
	for d := range days {
		day := time.Date(2025, 11, from+d, 0, 0, 0, 0, time.UTC).Unix()
		out = append(out, delivery.Signal{Day: day, IP: "192.0.2.1", Receiver: receiver, Kind: delivery.SignalSeed, N: uint32(n), K: uint32(k), Verified: true})
	}
	return out
}

func TestFolderChannel(t *testing.T) {
	list := append(seeds("folders", 5, 10, 5, 5), seeds("inboxes", 5, 10, 5, 0)...)
	got := feed(t, list, 15)
	in, spam := got["inboxes"], got["folders"]
	if in.View != ViewFull || spam.View != ViewFull {
		t.Fatalf("views %q %q", in.View, spam.View)
	}
	if spam.Full > 45 || spam.Spam < 0.7 || spam.Score < 95 {
		t.Errorf("all seeds in spam: score %.0f, full %.0f, F %.2f", spam.Score, spam.Full, spam.Spam)
	}
	if in.Full < 90 {
		t.Errorf("all seeds in the inbox: full %.0f", in.Full)
	}
	for _, e := range got {
		if !(e.FullLo <= e.Full && e.Full <= e.FullHi && e.FullLo >= 0 && e.FullHi <= 100) {
			t.Errorf("full %.1f outside of %.1f–%.1f", e.Full, e.FullLo, e.FullHi)
		}
	}
}

// TestFolderChannelLeavesTheScoreAlone: what outsiders say moves the full
// score only, and nothing that is not verified moves anything.
func TestFolderChannelLeavesTheScoreAlone(t *testing.T) {
	without := feed(t, nil, 15)
	with := feed(t, seeds("folders", 5, 10, 5, 5), 15)
	forged := seeds("folders", 5, 10, 5000, 5000)
	for i := range forged {
		forged[i].Verified = false
	}
	unmoved := feed(t, forged, 15)
	for r, e := range without {
		if with[r].Score != e.Score || with[r].Lo != e.Lo {
			t.Errorf("%s: seeds moved the SMTP score %.2f → %.2f", r, e.Score, with[r].Score)
		}
		if unmoved[r] != e {
			t.Errorf("%s: forged signals moved %+v → %+v", r, e, unmoved[r])
		}
		if e.View != ViewSMTP || e.Full != e.Score {
			t.Errorf("%s: view %q without any signal", r, e.View)
		}
	}
}

func TestFolderTiersAndOpens(t *testing.T) {
	day := time.Date(2025, 11, 14, 0, 0, 0, 0, time.UTC).Unix()
	one := func(kind delivery.SignalKind, value float64, n, k uint32) Estimate {
		return feed(t, []delivery.Signal{{Day: day, IP: "192.0.2.1", Receiver: "folders", Kind: kind, Value: value, N: n, K: k, Verified: true}}, 15)["folders"]
	}
	if red, green := one(delivery.SignalSNDS, 0, 0, 0), one(delivery.SignalSNDS, 2, 0, 0); red.Full+15 > green.Full {
		t.Errorf("red %.0f, green %.0f", red.Full, green.Full)
	}
	if bad, high := one(delivery.SignalGPT, 0, 0, 0), one(delivery.SignalGPT, 3, 0, 0); bad.Full+15 > high.Full {
		t.Errorf("bad %.0f, high %.0f", bad.Full, high.Full)
	}
	var opens []delivery.Signal
	for d, k := range []uint32{200, 210, 190, 10, 8, 9} {
		opens = append(opens, delivery.Signal{
			Day: time.Date(2025, 11, 9+d, 0, 0, 0, 0, time.UTC).Unix(), IP: "192.0.2.1", Receiver: "folders",
			Kind: delivery.SignalEngagement, N: 1000, K: k, Verified: true,
		})
	}
	steady, dropped := feed(t, opens[:3], 15)["folders"], feed(t, opens, 15)["folders"]
	if dropped.Full >= steady.Full || math.IsNaN(dropped.Full) {
		t.Errorf("opens fell to a twentieth: full %.1f, before %.1f", dropped.Full, steady.Full)
	}
}
