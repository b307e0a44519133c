package rules

import (
	"testing"

	"repute/delivery"
)

// The reply is the caller's: it is shown and kept after it was classified.
func TestReplyStands(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	const text = "5.1.1 mailbox carol@shop.example does not exist, <ask...dave@other.example>"
	r := delivery.Reply{Code: 550, Text: []byte(text)}
	set.Classify("gmail", r)
	if string(r.Text) != text {
		t.Errorf("the reply is now %q", r.Text)
	}
	const want = "5.1.1 mailbox @ does not exist, <ask..@>"
	if got := prepare(r.Text); got != want {
		t.Errorf("prepared: %q, want %q", got, want)
	}
}
