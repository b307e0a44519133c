package rules

import (
	"testing"

	"repute/delivery"
)

// TestMarkOthers: docomo's one answer for all recipients is about the one that
// it names.
func TestMarkOthers(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, recipient, want string
		reason                delivery.Reason
	}{
		{"Unknown user a@docomo.ne.jp", "a@docomo.ne.jp", "Unknown user a@docomo.ne.jp", delivery.UnknownUser},
		{"Unknown user A@Docomo.ne.jp.", "a@docomo.ne.jp", "Unknown user A@Docomo.ne.jp.", delivery.UnknownUser},
		{"Unknown user a@docomo.ne.jp", "b@docomo.ne.jp", "Unknown user " + AnotherRecipient, delivery.Other},
		{"Unknown user <a@docomo.ne.jp>", "b@docomo.ne.jp", "Unknown user <" + AnotherRecipient + ">", delivery.Other},
		{"Unknown user", "b@docomo.ne.jp", "Unknown user", delivery.UnknownUser},
	} {
		got := MarkOthers([]byte(c.text), []byte(c.recipient))
		if string(got) != c.want {
			t.Errorf("MarkOthers(%q, %q) = %q, want %q", c.text, c.recipient, got, c.want)
		}
		if v := s.Classify("docomo", delivery.Reply{Code: 550, Text: got}); v.Reason != c.reason {
			t.Errorf("%q to %s: %v by rule %s, want %v", c.text, c.recipient, v.Reason, v.Rule, c.reason)
		}
	}
	if !s.TellsRecipients("docomo") || s.TellsRecipients("gmail") {
		t.Error("the recipient matters at docomo, and only there")
	}
}
