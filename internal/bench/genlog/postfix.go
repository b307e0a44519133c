package main

import (
	"fmt"
	"strconv"
	"time"
)

// postfix writes its lines through syslog.
type postfix struct{ *generator }

func (g postfix) stamp(b []byte, t time.Time) []byte {
	b = t.AppendFormat(b, "Jan _2 15:04:05 ")
	copy(b, t.Month().String()[:3])
	return append(b, "mx1 postfix/"...)
}

func (g postfix) linesEach() float64 { return 5.9 }

// queueID is a short one: microseconds of the second, inode.
func (g postfix) queueID() string {
	g.serial++
	return fmt.Sprintf("%05X%06X", g.r.IntN(1<<20), (0x11C000+g.serial*7)&0xFFFFFF)
}

func (g postfix) arrive() *message {
	id, at := g.queueID(), g.now
	client := g.client()
	if g.r.IntN(4) == 0 {
		g.add(at, nil, "smtpd[%d]: connect from %s", g.pid(), client)
		g.add(at+0.4, nil, "smtpd[%d]: disconnect from %s ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5", g.pid(), client)
	}
	g.add(at, nil, "smtpd[%d]: %s: client=%s, sasl_method=PLAIN, sasl_username=%s@example.com", g.pid(), id, client, g.pick(streams))
	stream := g.pick(streams)
	m := &message{id: id, sender: g.verp(stream)}
	g.add(at+0.02, nil, "cleanup[%d]: %s: message-id=<%s>", g.pid(), id, g.messageID(stream))
	return m
}

func (g postfix) activate(m *message, at float64) {
	g.add(at, nil, "qmgr[900]: %s: from=<%s>, size=%d, nrcpt=%d (queue active)", m.id, m.sender, m.size, m.left)
}

func (g postfix) outcome(m *message, to recipient, r reply, queued, conn, xmit float64) string {
	return fmt.Sprintf("smtp[%d]: %s: to=<%s>, relay=%s[%s]:25, delay=%s, delays=%s/%s/%s/%s, dsn=%s, status=%s (%s)",
		g.pid(), m.id, to.address, to.mx, to.ip, seconds(queued+conn+xmit), seconds(queued), seconds(0.01), seconds(conn), seconds(xmit), r.dsn, r.status, r.words(to))
}

func (g postfix) leave(m *message) string { return "qmgr[900]: " + m.id + ": removed" }

// seconds is a delay as Postfix writes it: two digits that matter.
func seconds(s float64) string {
	if s >= 10 {
		return strconv.Itoa(int(s))
	}
	return strconv.FormatFloat(s, 'g', 2, 64)
}

// flood writes arrivals of messages that never leave.
func (g postfix) flood(lines int64) {
	for g.written < lines {
		g.now += 1 / g.rate
		g.serial++
		g.emit(g.now, fmt.Sprintf("qmgr[900]: %011X: from=<b-%08x@news.example.com>, size=%d, nrcpt=1 (queue active)",
			g.serial*0x3_0005&0xFFF_FFFF_FFFF, g.r.Uint32(), 2000+g.r.IntN(9000)))
	}
}
