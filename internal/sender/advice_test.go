package sender

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAdvice(t *testing.T) {
	o := Origin{Host: "mx1", Tag: "postfix"}
	if got := Advice(o, Source{How: FromConfig}); got != "" {
		t.Errorf("advice for a known origin: %q", got)
	}
	got := Advice(o, Source{How: Unknown})
	for _, want := range []string{"syslog_name=postfix-", "smtp_bind_address", `host = "mx1"`, `tag = "postfix"`} {
		if !strings.Contains(got, want) {
			t.Errorf("Postfix advice lacks %q:\n%s", want, got)
		}
	}
	got = Advice(Origin{Host: "mx4", Tag: "exim", Transport: "remote_smtp"}, Source{How: Unknown})
	for _, want := range []string{"+incoming_interface +outgoing_interface", `transport = "remote_smtp"`} {
		if !strings.Contains(got, want) {
			t.Errorf("Exim advice lacks %q:\n%s", want, got)
		}
	}
}

// The tag tells the MTA, whatever the transport is.
func TestAdviceByMTA(t *testing.T) {
	for tag, want := range map[string]string{
		"postfix": "master.cf", "mta-out": "master.cf", "exim4": "log_selector", "pmta": "dlvSourceIp", "smtpd": "repute.toml", "kumomta": "repute.toml",
	} {
		got := Advice(Origin{Host: "mx1", Tag: tag, Transport: "out3"}, Source{How: Unknown})
		if !strings.Contains(got, want) || strings.Contains(got, "log_selector") != (tag == "exim4") {
			t.Errorf("%s: %s", tag, got)
		}
	}
}

func TestSurvey(t *testing.T) {
	r := New([]Rule{{Domain: "a.example", IP: netip.MustParseAddr("192.0.2.1")}}, nil)
	got := r.Survey(
		[]Origin{{Host: "h", Tag: "postfix", Domain: "a.example"}, {Host: "h", Tag: "postfix", Domain: "b.example"}, {Host: "h", Tag: "postfix", Domain: "c.example"}},
		[]int64{5, 2, 3})
	if len(got) != 2 || got[0].Source.How != Unknown || got[0].Count != 5 || got[1].Origin.Domain != "a.example" || got[1].Count != 5 {
		t.Errorf("Survey = %+v", got)
	}
}
