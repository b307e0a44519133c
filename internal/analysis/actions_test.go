package analysis

import (
	"testing"

	"repute/delivery"
	"repute/reports"
)

// TestOutsideActions: mail that is accepted and foldered, and readers who
// complain, are told of; a fall that the log shows is told of once, as a fall.
func TestOutsideActions(t *testing.T) {
	outlook := delivery.Receiver{ID: "outlook", Name: "Outlook.com"}
	yahoo := delivery.Receiver{ID: "yahoo", Name: "Yahoo/AOL"}
	pair := func(ip string, score, full, spam float64) reports.Pair {
		return reports.Pair{IP: ip, Receiver: outlook, Score: score, View: &reports.FullView{Score: full, Spam: spam}}
	}
	fallen := pair("192.0.2.4", 40, 10, 0.9)
	fallen.Fall = &reports.Change{Drop: 50, Cause: "ip"}
	f := &reports.Findings{
		Pairs: []reports.Pair{
			pair("192.0.2.1", 97, 45, 0.7), pair("192.0.2.2", 97, 35, 0.85),
			pair("192.0.2.3", 97, 90, 0.1), fallen,
			{IP: "192.0.2.5", Receiver: outlook, Score: 97},
		},
		Folders: []reports.FolderSign{
			{IP: "192.0.2.1", Receiver: yahoo, Kind: delivery.SignalComplaint, N: 10000, K: 35},
			{IP: "192.0.2.2", Receiver: yahoo, Kind: delivery.SignalComplaint, N: 10000, K: 5},
			{IP: "192.0.2.3", Receiver: yahoo, Kind: delivery.SignalComplaint, N: 0, K: 5},
			{IP: "192.0.2.5", Receiver: yahoo, Kind: delivery.SignalSpamRate, Value: 0.002},
		},
	}
	var got []string
	for _, a := range actions(f) {
		got = append(got, a.Code+" "+a.IP)
	}
	want := []string{"ip 192.0.2.4", "folder 192.0.2.2", "folder 192.0.2.1", "complaints 192.0.2.1", "complaints 192.0.2.5"}
	if len(got) != len(want) {
		t.Fatalf("actions %q, want %q", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("action %d is %q, want %q", i, got[i], want[i])
		}
	}
}
