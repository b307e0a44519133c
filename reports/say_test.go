package reports

import (
	"strings"
	"testing"
	"time"

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

// The headline says of which days its numbers are; an alert, which is of the
// moment, has them elsewhere.
func TestDays(t *testing.T) {
	ja, err := words.For("ja")
	if err != nil {
		t.Fatal(err)
	}
	day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
	c := Change{IP: "192.0.2.1", Receiver: delivery.Receiver{ID: "a.example", Name: "a.example"}, Since: day(17), Before: 95, After: 5, Drop: 90}
	f := &Findings{Period: Period{From: day(16), To: day(23)}, Pairs: []Pair{{IP: c.IP, Receiver: c.Receiver}}}
	for _, x := range []struct {
		w       *words.Words
		noticed time.Time
		unknown bool
		want    string
		score   float64
	}{
		{words.English(), day(20), false, "from 95 to 5 by Thu 19 Nov, and is 15 on Sun 22 Nov.", 15}, // at the end of the 19th
		{words.English(), day(18), false, "from 95 to 5, and is 15 on Sun 22 Nov.", 15},
		{words.English(), day(23), false, "from 95 to 5, and is 15 on Sun 22 Nov.", 15},
		{words.English(), day(20), true, "from 95 to 5 by Thu 19 Nov, and is not known on Sun 22 Nov.", 15},
		{words.English(), day(20), false, "from 95 to 5 by Thu 19 Nov, where it still is on Sun 22 Nov.", 5.3},
		{ja, day(20), false, "へ低下しました。11月22日(日)終了時点でも同じです。", 4.8},
		{ja, day(20), false, "スコアは11月19日(木)までに95から5へ低下しました。11月22日(日)終了時点では15です。", 15},
		{ja, day(18), true, "スコアは95から5へ低下しました。11月22日(日)終了時点では推定できません。", 15},
	} {
		c.Noticed, f.Pairs[0].Unknown, f.Pairs[0].Score = x.noticed, x.unknown, x.score
		f.Changes = []Change{c}
		if said := Lead(f, x.w)[0]; !strings.HasSuffix(said, x.want) {
			t.Errorf("%q, want %q", said, x.want)
		}
	}
	if said := c.Sentence(words.English()); !strings.HasSuffix(said, "from 95 to 5.") {
		t.Errorf("an alert: %q", said)
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
