package rules

import (
	"bufio"
	"errors"
	"flag"
	"io/fs"
	"os"
	"strings"
	"testing"
)

var mismatches = flag.Bool("mismatches", false, "show the replies on which the labels and the rules differ")

// TestCorpus measures agreement with replies that another reader labelled,
// where that collection is at hand.
func TestCorpus(t *testing.T) {
	f, err := os.Open("../../shared/data/replies.tsv")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the collection of labelled replies is not part of the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	var n, agree, covered, rep, repFound, repSaid, repRight int
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	lines.Scan()
	col := map[string]int{}
	for i, name := range strings.Split(lines.Text(), "\t") {
		col[name] = i
	}
	for lines.Scan() {
		c := strings.Split(lines.Text(), "\t")
		label := c[col["label"]]
		if label == "" {
			continue
		}
		want := map[string]bool{label: true}
		for _, alt := range strings.FieldsFunc(c[col["alt"]], func(r rune) bool { return strings.ContainsRune(",|/ ", r) }) {
			want[alt] = true
		}
		receiver := s.Receiver(c[col["receiver"]], "").ID
		if r, ok := s.Lookup(c[col["receiver"]]); ok {
			receiver = r.ID
		}
		v := s.Classify(receiver, ParseReply(c[col["text"]]))
		got := v.Reason.String()
		n++
		if want[got] {
			agree++
		} else if *mismatches {
			t.Logf("%s: want %s/%s got %s (%s): %.150s", c[col["receiver"]], label, c[col["alt"]], got, v.Rule, c[col["text"]])
		}
		if got != "other" && got != "" {
			covered++
		}
		isRep := func(w string) bool { return w == "reputation_ip" || w == "blocklist" || w == "reputation_domain" }
		if isRep(label) {
			rep++
			if isRep(got) {
				repFound++
			}
		}
		if isRep(got) {
			repSaid++
			if isRep(label) || want[got] {
				repRight++
			}
		}
	}
	t.Logf("%d replies: agreement %.3f, coverage %.3f; reputation recall %.3f, precision %.3f", n,
		float64(agree)/float64(n), float64(covered)/float64(n), float64(repFound)/float64(rep), float64(repRight)/float64(repSaid))
	if float64(agree) < 0.87*float64(n) {
		t.Error("agreement fell below 0.87")
	}
}
