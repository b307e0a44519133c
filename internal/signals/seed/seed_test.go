package seed

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"repute/delivery"
)

const head = "date,ip,receiver,seeds,inbox,spam,missing\n"

func collect(text string) (out []delivery.Signal, errs []string) {
	for s, err := range Read("t.csv", strings.NewReader(text)) {
		if err != nil {
			errs = append(errs, err.Error())
		} else {
			out = append(out, s.Signal)
		}
	}
	return out, errs
}

func TestRead(t *testing.T) {
	want := delivery.Signal{Day: 1763942400, IP: "192.0.2.11", Receiver: "google", Kind: delivery.SignalSeed, N: 4, K: 1, Verified: true}
	for _, c := range []struct{ name, text, err string }{
		{"plain", head + "2025-11-24,192.0.2.11,google,5,3,1,1\n", ""},
		{"other order, mark, CRLF, mapped address", "\ufeffIP,Date,receiver,spam,inbox,missing,seeds,note\r\n::ffff:192.0.2.11,2025-11-24,google,1,3,1,5,x\r\n", ""},
		{"all missing says nothing", head + "2025-11-24,192.0.2.12,google,2,0,0,2\n2025-11-24,192.0.2.11,google,5,3,1,1\n", ""},
		{"date", head + "24.11.2025,192.0.2.11,google,5,3,1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:2: date"},
		{"ip", head + "\n2025-11-24,fe80::1%eth0,google,5,3,1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:3: ip"},
		{"receiver", head + "2025-11-24,192.0.2.11,,5,3,1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:2: receiver"},
		{"sum", head + "2025-11-24,192.0.2.11,google,5,5,1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:2: inbox 5"},
		{"negative", head + "2025-11-24,192.0.2.11,google,5,3,-1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:2: spam"},
		{"short and quote", head + "2025-11-24,192.0.2.11\n2025-11-24,\"192.0.2.11,google,5,3,1,1\n2025-11-24,192.0.2.11,google,5,3,1,1\n", "t.csv:2: receiver is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			signals, errs := collect(c.text)
			if len(signals) != 1 || signals[0] != want {
				t.Errorf("signals %+v, want %+v", signals, want)
			}
			if (len(errs) > 0) != (c.err != "") || c.err != "" && !strings.HasPrefix(errs[0], c.err) {
				t.Errorf("errors %q, want %q", errs, c.err)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "t.csv:1: empty",
		"date,ip\n":                        "t.csv:1: no column \"receiver\"",
		head + strings.Repeat("x", 70<<10): "t.csv:2: ",
	} {
		signals, errs := collect(text)
		if len(signals) != 0 || len(errs) != 1 || !strings.HasPrefix(errs[0], want) {
			t.Errorf("%.20q: %v %q, want %q", text, signals, errs, want)
		}
	}
}

func TestSample(t *testing.T) {
	text, err := os.ReadFile("../../../sample-logs/signals/seeds.csv")
	if err != nil {
		t.Fatal(err)
	}
	if signals, errs := collect(string(text)); len(signals) != 3 || len(errs) != 0 {
		t.Errorf("%d signals, want 3; errors %q", len(signals), errs)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(head + "2025-11-24,192.0.2.11,google,5,3,1,1\n")
	f.Add(head + "2025-11-24,\"192.0.2.11\n,,\n")
	f.Fuzz(func(t *testing.T, text string) {
		signals, _ := collect(text)
		for _, s := range signals {
			if s.K > s.N || s.N == 0 || s.IP == "" || s.Receiver == "" {
				t.Errorf("impossible signal %+v", s)
			}
		}
	})
}

func TestReadPlacements(t *testing.T) {
	text := "ts_us\treceiver\trcpt\tmessage_id\tfolder\n" +
		"1795438764851223\tdocomo\tseed-19@docomo.ne.jp\th0345d@news.example.com\tINBOX\n" +
		"1795438768838590\tgmail\tseed-2@gmail.com\t<c01503@ml.example.com>\t[Gmail]/Spam\n" +
		"1795438768838590\tgmail\tseed-3@gmail.com\tc01504@ml.example.com\tReceipts\n" +
		"1795438768838590\tgmail\tseed-3@gmail.com\tc01505@ml.example.com\tmissing\n"
	var got []string
	for r, err := range Read("t.tsv", strings.NewReader(text)) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, fmt.Sprintf("%d/%d %s %s %s %v", r.K, r.N, r.Receiver, r.About.Recipient, r.About.MessageIDs[0], r.Verified))
	}
	want := []string{
		"0/1 docomo seed-19@docomo.ne.jp h0345d@news.example.com true",
		"1/1 gmail seed-2@gmail.com c01503@ml.example.com true",
		`t.tsv:4: folder "Receipts" is neither an inbox nor a spam folder`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
