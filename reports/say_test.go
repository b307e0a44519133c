package reports

import (
	"strings"
	"testing"

	"repute/delivery"
	"repute/reports/words"
)

// A fall is told as how things are now only where that is known: not of a pair
// that came back, nor of one with too little mail since.
func TestLead(t *testing.T) {
	fall := func(id string) Change {
		return Change{IP: "192.0.2.1", Receiver: delivery.Receiver{ID: id, Name: id}, Cause: "private", Before: 95, After: 5, Drop: 90}
	}
	pair := func(c *Change, unknown, recovered bool) Pair {
		return Pair{IP: c.IP, Receiver: c.Receiver, Fall: c, Unknown: unknown, Recovered: recovered}
	}
	f := &Findings{Changes: []Change{fall("gone"), fall("back"), fall("low")}}
	for i, state := range [][2]bool{{true, false}, {false, true}, {false, false}} {
		f.Pairs = append(f.Pairs, pair(&f.Changes[i], state[0], state[1]))
	}
	said := Lead(f, words.English())
	if len(said) != 2 || !strings.HasPrefix(said[0], "low ") {
		t.Errorf("%q", said)
	}
	f.Changes, f.Pairs = f.Changes[:1], f.Pairs[:1]
	if said := Lead(f, words.English()); len(said) != 2 || !strings.HasPrefix(said[0], "gone ") {
		t.Errorf("where nothing else is known: %q", said)
	}
}

// A cause says how many it took in, where that was counted, and an action names
// the receiver that its figure is of.
func TestCounted(t *testing.T) {
	ja, err := words.For("ja")
	if err != nil {
		t.Fatal(err)
	}
	at := delivery.Receiver{ID: "a.example", Name: "a.example"}
	for _, c := range []struct {
		w        *words.Words
		cause    string
		fell, of int
		because  string
		head     string
		text     string
	}{
		{words.English(), "receiver", 8, 8, "against all our IPs", "slow down on all IPs", "another IP won't help"},
		{words.English(), "receiver", 0, 0, "against all our IPs", "slow down on all IPs", "another IP won't help"},
		{words.English(), "receiver", 2, 8, "2 of our 8 IPs fell", "on the IPs that fell", "2 of our 8 IPs fell there"},
		{words.English(), "ip", 11, 12, "fell at 11 of 12 receivers", "192.0.2.1", "fell at 11 of 12 receivers"},
		{words.English(), "ip", 0, 0, "fell at several receivers", "192.0.2.1", "At a.example, 192.0.2.9 is at 97."},
		{ja, "receiver", 2, 8, "8個のうち2個", "低下した送信IP", "8個のうち2個が低下"},
		{ja, "ip", 11, 12, "12宛先中11宛先で", "192.0.2.1", "12宛先中11宛先で低下"},
		{ja, "ip", 1, 12, "複数の宛先で", "192.0.2.1", "a.exampleでは192.0.2.9が97です。"},
	} {
		change := Change{IP: "192.0.2.1", Receiver: at, Cause: c.cause, Entity: "x", Fell: c.fell, Of: c.of}
		action := Action{Code: c.cause, IP: "192.0.2.1", Receiver: at, Fell: c.fell, Of: c.of, Better: "192.0.2.9", Score: 97}
		head, text := action.Words(c.w)
		if because := change.Because(c.w); !strings.Contains(because, c.because) || !strings.Contains(head, c.head) || !strings.Contains(text, c.text) {
			t.Errorf("%s, %d of %d: %q, %q, %q", c.cause, c.fell, c.of, because, head, text)
		}
	}
}
