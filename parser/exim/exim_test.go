package exim_test

import (
	"fmt"
	"testing"

	"repute/delivery"
	"repute/parser"
	"repute/parser/exim"
)

// gist prints what of an event these tests are about.
func gist(e *delivery.Event) string {
	return fmt.Sprintf("%s %s attempted=%t local=%t to=%s relay=%s[%s] %d stage=%s failure=%s %q",
		e.Kind, e.Status, e.Attempted, e.Local, e.Recipient, e.RelayHost, e.RelayIP, e.Reply.Code, e.Reply.Stage, e.Reply.Failure, e.Reply.Text)
}

func TestLines(t *testing.T) {
	const head = "2026-01-05 10:00:00 1rYcUl-0005vi-00 "
	for _, tc := range []struct{ name, line, want string }{
		{
			"TCP fast open", `=> b@example.net R=r T=t H=mx.example.net [192.0.2.7] TFO* X=TLS1.3:x:256 L* C="250 OK"`,
			`attempt sent attempted=true local=false to=b@example.net relay=mx.example.net[192.0.2.7] 250 stage=eod failure= "OK"`,
		},
		{
			"a reply that looks like fields", `=> b@example.net R=r T=t H=mx.example.net [192.0.2.7] C="250 \"ok\" => c@example.org H=evil [203.0.113.66]"`,
			`attempt sent attempted=true local=false to=b@example.net relay=mx.example.net[192.0.2.7] 250 stage=eod failure= "\\\"ok\\\" => c@example.org H=evil [203.0.113.66]"`,
		},
		{
			"two blanks and a quoted local part", `->  foo@example.net <" foo.bar"@example.org> R=r T=t H=mx.example.net [192.0.2.7] C="250 OK"`,
			`attempt sent attempted=true local=false to=foo@example.net relay=mx.example.net[192.0.2.7] 250 stage=eod failure= "OK"`,
		},
		{
			"delivery that -N suppressed", `*> b@example.net R=r T=t H=mx.example.net [192.0.2.7]`,
			`attempt sent attempted=false local=false to=b@example.net relay=mx.example.net[192.0.2.7] 0 stage= failure= ""`,
		},
		{
			"blackhole stands for its address", `=> :blackhole: <hole@example.org> R=bh`,
			`attempt sent attempted=false local=true to=hole@example.org relay=[] 0 stage= failure= ""`,
		},
		{
			"local part stands for its address", `=> bob <bob@example.org> R=localuser T=local_delivery`,
			`attempt sent attempted=false local=true to=bob@example.org relay=[] 0 stage= failure= ""`,
		},
		{
			"alias: who the receiver was told", `=> bob@example.net <al@example.org> R=r T=t H=mx.example.net [192.0.2.7] C="250 OK"`,
			`attempt sent attempted=true local=false to=bob@example.net relay=mx.example.net[192.0.2.7] 250 stage=eod failure= "OK"`,
		},
		{
			"silence after the connection", `== b@example.net R=r T=t defer (110): Connection timed out H=mx.example.net [192.0.2.7] DT=5m: SMTP timeout after initial connection: Connection timed out`,
			`attempt deferred attempted=true local=false to=b@example.net relay=mx.example.net[192.0.2.7] 0 stage=connect failure=reply_timeout "SMTP timeout after initial connection: Connection timed out"`,
		},
		{
			"no connection", `== b@example.net R=r T=t defer (110): Connection timed out`,
			`attempt deferred attempted=true local=false to=b@example.net relay=[] 0 stage=connect failure=connect_timeout "Connection timed out"`,
		},
		{
			"one host of several", `H=mx.example.net [192.0.2.7] Connection refused`,
			`host_trial  attempted=true local=false to= relay=mx.example.net[192.0.2.7] 0 stage=connect failure=refused "Connection refused"`,
		},
		{
			"mail that we refuse is no refusal of ours", `H=client.example.com [198.51.100.2] F=<a@example.com> rejected after DATA: This message contains a virus`,
			`rejected  attempted=false local=false to= relay=[] 0 stage= failure= "rejected after DATA: This message contains a virus"`,
		},
		{
			"an ACL's warning is about a client", `H=client.example.com [198.51.100.2] Warning: SPF fail`,
			`noted  attempted=false local=false to= relay=[] 0 stage= failure= "Warning: SPF fail"`,
		},
		{
			"an ACL's words about a client", `H=client.example.com [198.51.100.2] F=<a@example.com> greylisted`,
			`noted  attempted=false local=false to= relay=[] 0 stage= failure= "greylisted"`,
		},
		{
			"continuation lines", `** b@example.net R=r T=t H=mx.example.net [192.0.2.7] : SMTP error from remote mail server after end of data: 550-5.7.1 go to \n550 5.7.1 https://example.net DT=0.3s`,
			`attempt bounced attempted=true local=false to=b@example.net relay=mx.example.net[192.0.2.7] 550 stage=eod failure= "5.7.1 go to https://example.net"`,
		},
		{
			"lost at the greeting", `== b@example.net R=r T=t defer (-18) H=mx.example.net [192.0.2.7]: Remote host closed connection in response to initial connection`,
			`attempt deferred attempted=true local=false to=b@example.net relay=mx.example.net[192.0.2.7] 0 stage=connect failure=lost "Remote host closed connection in response to initial connection"`,
		},
		{
			"no attempt", `== b@example.net R=r T=t defer (-54): retry time not reached for any host for 'example.net'`,
			`attempt deferred attempted=false local=false to=b@example.net relay=[] 0 stage= failure=no_attempt "retry time not reached for any host for 'example.net'"`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := exim.NewLog(parser.Options{}).Append(nil, []byte(head+tc.line))
			if err != nil || len(events) != 1 {
				t.Fatalf("%d events, %v", len(events), err)
			}
			if got := gist(&events[0]); got != tc.want {
				t.Errorf("\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestContainers: Exim in a container logs to its standard output.
func TestContainers(t *testing.T) {
	const line = `2026-01-05 10:00:00 1rYcUl-0005vi-00 ** b@example.net R=r T=t H=mx.example.net [192.0.2.7] : SMTP error from remote mail server after RCPT TO:<b@example.net>: 550 no`
	for name, wrapped := range map[string]string{
		"docker":         `{"log":"` + line + `\n","stream":"stdout","time":"2026-01-05T01:00:00Z"}`,
		"docker compose": "exim-1  | " + line,
		"CRI":            "2026-01-05T01:00:00.123456789Z stdout F " + line,
		"Filebeat":       `{"@timestamp":"2026-01-05T01:00:00Z","message":"` + line + `"}`,
	} {
		events, err := exim.NewLog(parser.Options{}).Append(nil, []byte(wrapped))
		if err != nil || len(events) != 1 || events[0].Reply.Code != 550 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
		}
	}
}
