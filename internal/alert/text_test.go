package alert

import (
	"flag"
	"os"
	"strings"
	"testing"

	"repute/internal/config"
	"repute/reports"
	"repute/reports/words"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%s differs (rewrite it with -update): %v\n%s", path, err, got)
	}
}

// TestLanguages says every kind in every language: nothing is left in English
// but names, replies and commands, and each rule gets its own.
func TestLanguages(t *testing.T) {
	f := &reports.Findings{
		Changes: []reports.Change{
			fall("198.51.100.7", outlook, "private", "198.51.100.7 at outlook", 34), fall("198.51.100.8", outlook, "neighbourhood", "198.51.100.0/24", 75),
			fall("198.51.100.9", outlook, "neighbourhood", "198.51.100.0/24", 40), fall("192.0.2.2", gmail, "recovery", "", -40),
		},
		Pairs:   []reports.Pair{{IP: "198.51.100.7", Receiver: outlook, Score: 58, Lo: 41, Hi: 74}},
		Quotes:  []reports.Quote{{IP: "198.51.100.7", Receiver: outlook, Count: 35, Code: 451, Text: "4.7.650 (S775)"}},
		Actions: []reports.Action{{Code: "slow", IP: "198.51.100.7", Receiver: outlook}},
	}
	f.Changes[3].Before, f.Changes[3].After = 52, 92
	say := func(w *words.Words) []Alert {
		return append(From(f, begin, w), Silence(begin, begin, w), Coverage("/var/log/mail.log", 0.01, 0.4, begin, w), Test(begin, w))
	}
	d, b := newDesk(&clock{begin}, config.Alert{Name: "default", Webhook: "https://example.com/"})
	for _, lang := range words.Languages() {
		d.Rules = append(d.Rules, config.Alert{Name: lang, Lang: lang, Webhook: "https://example.com/"})
		w, err := words.For(lang)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for _, a := range say(w) {
			text.WriteString(a.Subject + "\n\n" + a.Text + "\n")
		}
		golden(t, "testdata/alerts-"+lang+".txt", text.String())
	}
	if err := d.Raise(t.Context(), say); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.rows {
		if ja := strings.Contains(r.Body, "スコア") || strings.Contains(r.Body, "ログ"); ja != (r.Rule == "ja") {
			t.Errorf("%s is told in another language: %s", r.Rule, r.Body)
		}
	}
	d.Rules = []config.Alert{{Lang: "xx"}}
	if err := d.Raise(t.Context(), say); err == nil || !strings.Contains(err.Error(), "alert[1]: no words in language") {
		t.Errorf("a language that is not there: %v", err)
	}
}
