package ingest

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"repute/delivery"
	"repute/rules"
)

// TestSamplesMeanTheSame: a reply as it is kept, without addresses, is read as
// the reply itself was. Else `rules apply` would book history another way than
// reading the logs again.
func TestSamplesMeanTheSame(t *testing.T) {
	s, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	same := func(receiver, text string) {
		r := rules.ParseReply(text)
		kept := r
		kept.Text = []byte(scrub(r.Text))
		if was, is := s.Classify(receiver, r), s.Classify(receiver, kept); was != is {
			t.Errorf("%s: %q is %v by rule %s; kept as %q it is %v by rule %s", receiver, r.Text, was.Reason, was.Rule, kept.Text, is.Reason, is.Rule)
		}
	}
	for _, r := range s.Rules() {
		receiver := "example.net"
		if len(r.Receiver) > 0 {
			receiver = r.Receiver[0]
		}
		for _, example := range r.Examples {
			same(receiver, example)
		}
	}
	for _, name := range []string{"exam.tsv", "exam2.tsv", "exam3.tsv", "exam4.tsv", "exam5.tsv", "exam6.tsv", "exam7.tsv", "published.tsv"} {
		f, err := os.Open("../../rules/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for lines := bufio.NewScanner(f); lines.Scan(); {
			fields := strings.Split(lines.Text(), "\t")
			same(fields[0], fields[len(fields)-1])
		}
	}
}

// TestTemplatesAreOne: replies that share a template share a meaning.
func TestTemplatesAreOne(t *testing.T) {
	s, err := rules.Default()
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		receiver, text string
		code           uint16
		enhanced       delivery.Enhanced
		stage          delivery.Stage
	}
	seen := map[key]delivery.Verdict{}
	for _, r := range s.Rules() {
		for _, receiver := range append(r.Receiver, "example.net") {
			for _, example := range r.Examples {
				reply := rules.ParseReply(example)
				k := key{receiver, string(rules.Normalize(nil, reply.Text)), reply.Code, reply.Enhanced, reply.Stage}
				v := s.Classify(receiver, reply)
				if first, ok := seen[k]; ok && first != v {
					t.Errorf("%s: %q is %v and %v", receiver, k.text, first, v)
				}
				seen[k] = v
			}
		}
	}
}

// BenchmarkTemplate: a reply that was seen before, the common case.
func BenchmarkTemplate(b *testing.B) {
	s, err := rules.Default()
	if err != nil {
		b.Fatal(err)
	}
	d, err := newDictionary(b.Context(), &Options{Rules: s})
	if err != nil {
		b.Fatal(err)
	}
	receiver := d.receiverNamed(s.ByID("yahoo"))
	reply := rules.ParseReply("421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes")
	b.ReportAllocs()
	for b.Loop() {
		if d.template(receiver, &reply, delivery.Deferred) != 1 {
			b.Fatal("a reply that was seen before has another template")
		}
	}
}
