package postfix_test

import (
	"errors"
	"fmt"
	"testing"

	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
	"repute/parser/postfix"
)

// gist prints what of an event these tests are about.
func gist(e *delivery.Event) string {
	return fmt.Sprintf("%s %s attempted=%t local=%t to=%s relay=%s[%s] new=%s %d stage=%s failure=%s %q",
		e.Kind, e.Status, e.Attempted, e.Local, e.Recipient, e.RelayHost, e.RelayIP, e.NewID, e.Reply.Code, e.Reply.Stage, e.Reply.Failure, e.Reply.Text)
}

func TestLines(t *testing.T) {
	const relay = "3F2A11C0D5: to=<bob@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=2, delays=1/0/1/0, dsn=2.0.0, "
	for _, tc := range []struct{ name, program, text, want string }{
		{
			"a reply can't forge a status", "postfix/smtp",
			relay + "status=bounced (host mx.example.net[192.0.2.7] said: 550 5.1.1 x, status=sent (250 OK) (in reply to RCPT TO command))",
			`attempt bounced attempted=true local=false to=bob@example.net relay=mx.example.net[192.0.2.7] new= 550 stage=rcpt failure= "5.1.1 x, status=sent (250 OK)"`,
		},
		{
			"a recipient can't forge a relay", "postfix/smtp",
			`3F2A11C0D5: to=<"a>, relay=evil[203.0.113.66]:25, status=sent (250 ok)"@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=2, dsn=5.0.0, status=bounced (host mx.example.net[192.0.2.7] said: 550 no)`,
			`attempt bounced attempted=true local=false to="a>, relay=evil[203.0.113.66]:25, status=sent (250 ok)"@example.net relay=mx.example.net[192.0.2.7] new= 550 stage= failure= "no"`,
		},
		{
			"continuation lines", "postfix/smtp",
			relay + "status=deferred (host mx.example.net[192.0.2.7] said: 421-4.7.28 see  421 4.7.28 https://example.net (in reply to end of DATA command))",
			`attempt deferred attempted=true local=false to=bob@example.net relay=mx.example.net[192.0.2.7] new= 421 stage=eod failure= "4.7.28 see https://example.net"`,
		},
		{
			"LMTP over TCP stays in the house", "postfix/lmtp",
			relay + "status=sent (250 2.0.0 Saved)",
			`attempt sent attempted=false local=true to=bob@example.net relay=mx.example.net[192.0.2.7] new= 250 stage=eod failure= "2.0.0 Saved"`,
		},
		{
			"LMTP socket", "postfix/lmtp",
			"3F2A11C0D5: to=<bob@example.net>, relay=mx1[/run/dovecot/lmtp], delay=2, dsn=2.0.0, status=sent (250 2.0.0 Saved)",
			`attempt sent attempted=false local=true to=bob@example.net relay=mx1[] new= 250 stage=eod failure= "2.0.0 Saved"`,
		},
		{
			"a mailbox server's refusal is no receiver's", "postfix/lmtp",
			"3F2A11C0D5: host mx1[/run/dovecot/lmtp] said: 451 4.2.0 try later (in reply to RCPT TO command)",
			`host_trial  attempted=false local=true to= relay=mx1[] new= 451 stage=rcpt failure= "4.2.0 try later"`,
		},
		{
			"nor is a content filter's", "postfix/smtp",
			"3F2A11C0D5: host 127.0.0.1[127.0.0.1] said: 451 4.5.0 busy (in reply to end of DATA command)",
			`host_trial  attempted=false local=true to= relay=127.0.0.1[127.0.0.1] new= 451 stage=eod failure= "4.5.0 busy"`,
		},
		{
			"content filter on another host", "postfix/amavis/smtp",
			"3F2A11C0D5: to=<bob@example.net>, relay=192.0.2.30[192.0.2.30]:10024, delay=2, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[192.0.2.30]:10025): 250 2.0.0 Ok: queued as 77E3A11C0D)",
			`attempt sent attempted=false local=true to=bob@example.net relay=192.0.2.30[192.0.2.30] new=77E3A11C0D 250 stage=eod failure= "2.0.0 from MTA(smtp:[192.0.2.30]:10025): 250 2.0.0 Ok: queued as 77E3A11C0D"`,
		},
		{
			"a receiver's text does not make it a filter", "postfix/smtp",
			relay + "status=deferred (host mx.example.net[192.0.2.7] said: 450 4.0.0 you are blocked from MTA(x) (in reply to RCPT TO command))",
			`attempt deferred attempted=true local=false to=bob@example.net relay=mx.example.net[192.0.2.7] new= 450 stage=rcpt failure= "4.0.0 you are blocked from MTA(x)"`,
		},
		{
			"probe whose result is not kept", "postfix/error",
			"3F2A11C0D5: to=<bob@example.net>, relay=none, delay=0, delays=0/0/0/0, dsn=5.1.1, status=undeliverable-but-not-cached (User unknown)",
			`probe undeliverable attempted=false local=false to=bob@example.net relay=[] new= 0 stage= failure= "User unknown"`,
		},
		{
			"what is no reply code is told too", "postfix/smtp",
			"3F2A11C0D5: host mx.example.net[192.0.2.7] said: 12 Malformed (in reply to RCPT TO command)",
			`host_trial  attempted=true local=false to= relay=mx.example.net[192.0.2.7] new= 0 stage=rcpt failure= "12 Malformed"`,
		},
		{
			"no attempt was made", "postfix/error",
			"3F2A11C0D5: to=<bob@example.net>, relay=none, delay=9, delays=9/0/0/0, dsn=4.4.1, status=deferred (delivery temporarily suspended: connect to mx.example.net[192.0.2.7]:25: Connection refused)",
			`attempt deferred attempted=false local=false to=bob@example.net relay=mx.example.net[192.0.2.7] new= 0 stage=connect failure=no_attempt "connect to mx.example.net[192.0.2.7]:25: Connection refused"`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			events, err := postfix.New().Append(nil, &envelope.Envelope{At: 1, Program: []byte(tc.program), Text: []byte(tc.text)})
			if err != nil || len(events) != 1 {
				t.Fatalf("%d events, %v", len(events), err)
			}
			if got := gist(&events[0]); got != tc.want {
				t.Errorf("\n got %s\nwant %s", got, tc.want)
			}
		})
	}
}

// TestNotUnderstood: a delivery line that is whole and has unknown fields is
// reported, not passed over.
func TestNotUnderstood(t *testing.T) {
	e := envelope.Envelope{Program: []byte("postfix/smtp"), Text: []byte("3F2A11C0D5: to=<bob@example.net>, host=mx.example.net, result=sent (250 OK)")}
	_, err := postfix.New().Append(nil, &e)
	var syntax *parser.SyntaxError
	if !errors.As(err, &syntax) || syntax.Kind == "" || syntax.Msg == "" {
		t.Fatalf("got %v, want a syntax error that says what was expected", err)
	}
}

// TestOthers: other programs' lines that look like ours.
func TestOthers(t *testing.T) {
	for program, text := range map[string]string{
		"sendmail":  "4BNDJ8mk012345: to=<bob@example.net>, delay=00:00:01, mailer=esmtp, relay=mx.example.net. [192.0.2.7], dsn=2.0.0, stat=Sent (ok)",
		"opendkim":  "3F2A11C0D5: DKIM-Signature field added (s=mail, d=example.com)",
		"sm-mta-in": "4BNDJ8mk012345: from=<a@example.com>, size=10, nrcpts=1",
		"amavis":    "(12345-01) Passed CLEAN, <a@example.com> -> <b@example.net>, queued_as: 77E3A11C0D",
		"dovecot":   "lmtp(bob): msgid=<x@example.com>: saved mail to INBOX",
	} {
		events, err := postfix.New().Append(nil, &envelope.Envelope{At: 1, Program: []byte(program), Text: []byte(text)})
		if len(events) > 0 || !errors.Is(err, parser.ErrIrrelevant) {
			t.Errorf("%s: %d events, %v", program, len(events), err)
		}
	}
}
