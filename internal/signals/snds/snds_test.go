package snds

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func collect(text string) (out []string) {
	for r, err := range Read("t.csv", strings.NewReader(text)) {
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s %s day=%d n=%d k=%d v=%g %s", r.Kind, r.IP, r.Day, r.N, r.K, r.Value, r.Detail))
	}
	return out
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{
			"bare, as the service gives it",
			"192.0.2.11,11/24/2025 12:00 AM,11/25/2025 12:00 AM,1250,1243,1201,YELLOW,0.3%,11/24/2025 1:02 AM,11/24/2025 9:10 PM,3,mx1.example.com,a@news.example.com,\n" +
				"192.0.2.12,11/24/2025 12:00 AM,11/25/2025 12:00 AM,900,900,890,GREEN,< 0.1%,,,0,mx2.example.com,a@news.example.com,\n",
			[]string{
				"snds 192.0.2.11 day=1763942400 n=1201 k=0 v=1 yellow",
				"complaint 192.0.2.11 day=1763942400 n=1201 k=4 v=0.003 0.3%",
				"trap 192.0.2.11 day=1763942400 n=1201 k=3 v=0 ",
				"snds 192.0.2.12 day=1763942400 n=890 k=0 v=2 green",
			},
		},
		{
			"named, in another order, semicolons",
			"\ufeffDate;IP Address;Filter result;Message recipients\n2025-11-24;192.0.2.13;RED;5000\n",
			[]string{"snds 192.0.2.13 day=1763942400 n=5000 k=0 v=0 red"},
		},
		{
			"a bad line does not stop the rest",
			"192.0.2.11,11/24/2025 12:00 AM,,1,1,1,PURPLE,,,,0\nnonsense\n192.0.2.13,11/24/2025 12:00 AM,,1,1,1,RED,,,,0\n",
			[]string{
				`t.csv:1: filter result "PURPLE" is not green, yellow or red`,
				`t.csv:2: filter result "" is not green, yellow or red`,
				"snds 192.0.2.13 day=1763942400 n=1 k=0 v=0 red",
			},
		},
	} {
		if got := collect(c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	sample, err := os.ReadFile("../../../sample-logs/signals/snds.csv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(sample))
	f.Add("Date;IP Address;Filter result;Message recipients\n2025-11-24;192.0.2.13;RED;5000\n")
	f.Fuzz(func(t *testing.T, text string) {
		for r, err := range Read("t.csv", strings.NewReader(text)) {
			if err == nil && (r.IP == "" || r.Receiver == "" || r.Key == "" || r.Value < 0 || r.Value > 2) {
				t.Errorf("impossible record %+v", r)
			}
		}
	})
}
