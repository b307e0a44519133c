package delivery

import "testing"

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		name      string
		status    Status
		attempted bool
		reply     Reply
		verdict   Verdict
		want      Class
	}{
		{"no attempt is nothing", Deferred, false, Reply{Code: 421}, Verdict{Reason: ReputationIP}, ClassNone},
		{"accepted", Sent, true, Reply{Code: 250}, Verdict{}, ClassAccepted},
		{"policy deferral", Deferred, true, Reply{Code: 421}, Verdict{Reason: ReputationIP}, ClassDeferPolicy},
		{"a 5xx greeting that Postfix defers is a refusal", Deferred, true, Reply{Code: 554}, Verdict{Reason: ReputationIP}, ClassRejectPolicy},
		{"a 4xx that refuses for good", Deferred, true, Reply{Code: 421}, Verdict{Reason: ReputationIP, Permanent: true}, ClassRejectPolicy},
		{"connection dropped at the greeting as a block", Deferred, true, Reply{Failure: Lost, Stage: StageConnect}, Verdict{Reason: ReputationIP}, ClassDeferPolicy},
		{"content is the stream's", Bounced, true, Reply{Code: 554}, Verdict{Reason: ContentSpam}, ClassContent},
		{"policy about the message", Bounced, true, Reply{Code: 554}, Verdict{Reason: PolicyOther, About: AboutContent}, ClassContent},
		{"5.7.1 without a reason", Bounced, true, Reply{Code: 550, Enhanced: Enhanced{5, 7, 1}}, Verdict{Reason: PolicyOther}, ClassRejectGeneric},
		{"4xx without a reason waits for its retry", Deferred, true, Reply{Code: 451}, Verdict{Reason: Other}, ClassDeferSlow},
		{"5xx without a reason", Bounced, true, Reply{Code: 550}, Verdict{Reason: Other}, ClassOther},
		{"no answer", Deferred, true, Reply{Failure: ReplyTimeout}, Verdict{Reason: Network}, ClassConnection},
		{"unknown user", Bounced, true, Reply{Code: 550}, Verdict{Reason: UnknownUser}, ClassUnknownUser},
		{"authentication is ours to mend", Bounced, true, Reply{Code: 550}, Verdict{Reason: Auth}, ClassConfig},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ClassOf(c.status, c.attempted, &c.reply, c.verdict); got != c.want {
				t.Errorf("ClassOf = %v, want %v", got, c.want)
			}
		})
	}
}

func TestBook(t *testing.T) {
	var c Counts
	for class := ClassAccepted; class <= ClassOther; class++ {
		c.Book(class, 1, true)
	}
	c.Book(ClassNone, 5, true)
	if c.First() != uint32(ClassOther) {
		t.Errorf("First = %d, want one for each of the %d classes", c.First(), ClassOther)
	}
	if c.Listed != 2 {
		t.Errorf("Listed = %d, want 2: only policy classes name a list", c.Listed)
	}
}

func TestEnhanced(t *testing.T) {
	for text, want := range map[string]string{
		"5.7.1 no": "5.7.1", "4.7.650 x": "4.7.650", "5.7.1": "5.7.1", "5.7": "", "1.2.3.4": "", "5.7.1.2 x": "",
		"250 ok": "", "5.1234.1 ": "", "": "", "5..1 ": "",
	} {
		e, n := ParseEnhanced([]byte(text))
		if e.String() != want || (n > 0) != (want != "") {
			t.Errorf("ParseEnhanced(%q) = %q, %d; want %q", text, e, n, want)
		}
	}
}

func TestWords(t *testing.T) {
	for r := ReputationIP; r <= Other; r++ {
		if got, ok := ParseReason(r.String()); !ok || got != r {
			t.Errorf("reason %d does not come back from %q", r, r)
		}
	}
	if _, ok := ParseReason(""); ok {
		t.Error("the empty word is no reason")
	}
	for s := StageConnect; s <= StageQuit; s++ {
		if ParseStage(s.String()) != s {
			t.Errorf("stage %d does not come back", s)
		}
	}
	for f := ConnectionRefused; f <= LocalFault; f++ {
		if ParseFailure(f.String()) != f {
			t.Errorf("failure %d does not come back", f)
		}
	}
}
