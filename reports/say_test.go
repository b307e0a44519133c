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
