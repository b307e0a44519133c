package rules

import (
	"bytes"
	"strconv"
	"testing"

	"repute/delivery"
)

// TestLaws: every example is won by its own rule in the whole set.
func TestLaws(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range s.Check() {
		t.Error(err)
	}
}

func BenchmarkClassify(b *testing.B) {
	s, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	var texts []delivery.Reply
	for _, r := range s.Rules() {
		for _, ex := range r.Examples {
			texts = append(texts, ParseReply(ex))
		}
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		s.Classify("gmail", texts[i%len(texts)])
		i++
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := Default(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLongText: the time grows with the text, no faster.
func BenchmarkLongText(b *testing.B) {
	s, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{1000, 10000, 100000} {
		text := delivery.Reply{Code: 550, Text: bytes.Repeat([]byte("blocked using "), n/14)}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				s.Classify("gmail", text)
			}
		})
	}
}

// TestWhy: the winner says what it went by.
func TestWhy(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	reply := ParseReply("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).")
	m := s.Explain("outlook", reply, 3)
	if len(m) != 3 || m[0].Why != `mark "s3150", receiver outlook` || m[1].Weight >= m[0].Weight {
		t.Errorf("%+v", m)
	}
}

// TestAllTold: each rule tells what it is known from.
func TestAllTold(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Rules() {
		if r.Source == "" || r.Seen == "" {
			t.Errorf("rule %s: want its source and when it was seen", r.ID)
		}
	}
}

// A text whose code was lost, and that no rule has a word for, means nothing:
// rules that ask for a code alone do not take it.
func TestNonsense(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "wibble wobble flargh 42", "????????: a@example.net : ????, ????"} {
		if v := s.Classify("", ParseReply(text)); v.Rule != "" {
			t.Errorf("%q is %v by %s", text, v.Reason, v.Rule)
		}
	}
	if v := s.Classify("", ParseReply("550 wibble")); v.Rule != "lone-550" {
		t.Errorf("550 alone is by %q", v.Rule)
	}
}
