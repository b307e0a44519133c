package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"repute/internal/realmta"
)

// TestSignalsFetch asks a real Dovecot over TLS and a DNS server, both on this
// machine: what is new is taken once, and a wrong password is told.
func TestSignalsFetch(t *testing.T) {
	d := realmta.StartDovecot(t, map[string]string{"seed": "horse", "fbl": "staple"})
	resolver := blockListServer(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const mailbox = "[[mailbox]]\nname = %q\nkind = %q\nreceiver = \"gmail.com\"\nhost = \"127.0.0.1\"\nport = %d\nuser = %q\nca_file = %q\npassword_file = %q\n"
	config := write("repute.toml", "[time]\nzone = \"UTC\"\nyear = 2025\n[[sender]]\nhost = \"mx1\"\nip = \"192.0.2.11\"\n"+
		fmt.Sprintf("[signals]\nresolver = %q\nblock_lists = [\"zen.example\", \"gone.example\"]\nsender_score = \"score.example\"\ntrust = [\"mx.example.com\"]\n", resolver)+
		fmt.Sprintf(mailbox, "seed-1", "seed", d.Port, "seed", d.CAFile, write("seed.password", "horse\n"))+
		fmt.Sprintf(mailbox, "fbl-1", "arf", d.Port, "fbl", d.CAFile, write("fbl.password", "staple\n")))
	log := write("mail.log", `Nov 24 10:00:00 mx1 postfix/cleanup[1]: A1B2C3D4E5: message-id=<m1@news.example.com>
Nov 24 10:00:00 mx1 postfix/qmgr[1]: A1B2C3D4E5: from=<b-m1@news.example.com>, size=1000, nrcpt=1 (queue active)
Nov 24 10:00:01 mx1 postfix/smtp[1]: A1B2C3D4E5: to=<seed@gmail.com>, relay=gmail-smtp-in.l.google.com[198.18.3.1]:25, delay=1, delays=0.1/0/0.5/0.4, dsn=2.0.0, status=sent (250 2.0.0 OK)
Nov 24 10:00:01 mx1 postfix/qmgr[1]: A1B2C3D4E5: removed
`)
	db := filepath.Join(dir, "r.duckdb")
	repute := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(t.Context(), append(args, "--config", config, "--db", db), strings.NewReader(""), &out, &out); got != want {
			t.Fatalf("repute %v: exit %d, want %d\n%s", args, got, want, out.String())
		}
		return out.String()
	}
	contains := func(out string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(out, want) {
				t.Errorf("%q is not in\n%s", want, out)
			}
		}
	}
	repute(0, "ingest", log)
	d.Deliver(t, "seed", "Junk", "1.ours", "Received: from mx1.example.com (mx1.example.com [192.0.2.11])\r\n\tby mx.google.com with ESMTPS id x; Mon, 24 Nov 2025 10:00:01 +0000\r\n"+
		"Message-ID: <m1@news.example.com>\r\nDate: Mon, 24 Nov 2025 10:00:00 +0000\r\nSubject: news\r\n\r\n")
	d.Deliver(t, "seed", "", "2.stranger", "Received: from other.example.net (other.example.net [198.51.100.99])\r\n\tby mx.google.com with ESMTPS id y; Mon, 24 Nov 2025 11:00:01 +0000\r\n"+
		"Message-ID: <z@other.example.net>\r\nDate: Mon, 24 Nov 2025 10:00:00 +0000\r\nSubject: hello\r\n\r\n")
	d.Deliver(t, "fbl", "", "1.broken", "Content-Type: multipart/report; boundary=x\r\nFrom: a@b.example\r\n\r\nnothing\r\n")

	out := repute(1, "signals", "fetch")
	contains(out, "seed seed-1: 1 records, 1 of them new; 1 tied to a message", "broken MIME",
		"zen.example: 1 records", "gone.example is of no use: it does not list 127.0.0.2", "senderscore: 1 records")
	out = repute(0, "signals", "fetch", "seed")
	contains(out, "seed seed-1: 0 records")
	out = repute(0, "signals", "list", "--format", "csv")
	contains(out, "2025-11-24,seed,192.0.2.11,gmail,,1,1,0,true,seed mailbox seed-1,Junk", "block_list,192.0.2.11,,,1,1,0,true,zen.example,127.0.0.4",
		"sender_score,192.0.2.11,,,0,0,98,true,Sender Score,98")
	contains(repute(0, "scores", "--format", "csv"), ",full,")

	write("seed.password", "wrong\n")
	out = repute(75, "signals", "fetch", "seed")
	contains(out, "login refused", "none of the sources could be read")
	if strings.Contains(out, "wrong") {
		t.Errorf("the password is told: %s", out)
	}
}

// blockListServer answers for one list, which has 192.0.2.11, and for Sender
// Score.
func blockListServer(t *testing.T) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{
		"2.0.0.127.zen.example.": "127.0.0.2", "11.2.0.192.zen.example.": "127.0.0.4", "11.2.0.192.score.example.": "127.0.4.98",
	}
	up := make(chan struct{})
	s := &dns.Server{PacketConn: conn, NotifyStartedFunc: func() { close(up) }, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		if ip, ok := table[q.Question[0].Name]; ok {
			rr, err := dns.NewRR(q.Question[0].Name + " 60 IN A " + ip)
			if err != nil {
				t.Error(err)
			}
			m.Answer = append(m.Answer, rr)
		} else {
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = s.ActivateAndServe() }()
	<-up
	t.Cleanup(func() { _ = s.Shutdown() })
	return conn.LocalAddr().String()
}
