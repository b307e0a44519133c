package main

import (
	"fmt"
	"strings"
	"time"
)

// exim writes its own main log.
type exim struct{ *generator }

func (g exim) stamp(b []byte, t time.Time) []byte { return t.AppendFormat(b, "2006-01-02 15:04:05 ") }

func (g exim) linesEach() float64 { return 3.4 }

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// id is the second, the process, the fraction of the second.
func (g exim) id() string {
	g.serial++
	part := func(n int64, digits int) string {
		b := make([]byte, digits)
		for i := digits - 1; i >= 0; i-- {
			b[i] = base62[n%62]
			n /= 62
		}
		return string(b)
	}
	return part(start.Unix()+int64(g.now), 6) + "-" + part(g.serial, 6) + "-" + part(g.r.Int64N(3844), 2)
}

func (g exim) arrive() *message {
	m := &message{id: g.id()}
	stream := g.pick(streams)
	m.sender = g.verp(stream)
	client := strings.Replace(g.client(), "[", " [", 1)
	g.add(g.now, nil, "%s <= %s H=%s P=esmtpsa X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no A=plain:%s@example.com S=%d id=%s",
		m.id, m.sender, client, stream, 2000+g.r.IntN(30000), g.messageID(stream))
	return m
}

func (g exim) activate(*message, float64) {} // Exim does not tell

func (g exim) outcome(m *message, to recipient, r reply, queued, conn, xmit float64) string {
	where := fmt.Sprintf("%s R=dnslookup T=remote_smtp", to.address)
	host := fmt.Sprintf("H=%s [%s] I=[203.0.113.%d]:%d X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=yes", to.mx, to.ip, 1+g.r.IntN(4), 30000+g.r.IntN(30000))
	times := fmt.Sprintf("QT=%ss DT=%ss", seconds(queued+conn+xmit), seconds(conn+xmit))
	switch r.status {
	case "sent":
		return fmt.Sprintf("%s => %s %s C=\"%s\" %s", m.id, where, host, r.text, times)
	case "deferred":
		return fmt.Sprintf("%s == %s defer (-46) %s %s: %s", m.id, where, host, times, g.said(m, to, r.text))
	}
	return fmt.Sprintf("%s ** %s %s %s: %s", m.id, where, host, times, g.said(m, to, r.text))
}

// said puts Exim's words around a reply in place of Postfix's.
func (g exim) said(m *message, to recipient, text string) string {
	text, stage, _ := strings.Cut(text, " (in reply to ")
	command := "end of data"
	switch {
	case strings.HasPrefix(stage, "MAIL"):
		command = fmt.Sprintf("MAIL FROM:<%s> SIZE=%d", m.sender, m.size)
	case strings.HasPrefix(stage, "RCPT"):
		command = fmt.Sprintf("RCPT TO:<%s>", to.address)
	}
	return "SMTP error from remote mail server after " + command + ": " + text
}

func (g exim) leave(m *message) string { return m.id + " Completed" }
