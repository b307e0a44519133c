package main

import (
	"bufio"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// generator keeps the lines that are due later in a heap, so that messages
// overlap as they do in a real log.
type generator struct {
	w       *bufio.Writer
	r       *rand.Rand
	domains []domain
	due     schedule
	now     float64 // seconds since start
	rate    float64 // lines a second
	written int64
	serial  int64
}

// start is a Monday.
var start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// line is one that is due; the message goes on from its step.
type line struct {
	at   float64
	n    int64 // equal times keep their order
	text string
	then func()
}

type schedule []line

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	return s[i].at < s[j].at || s[i].at == s[j].at && s[i].n < s[j].n
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(line)) }
func (s *schedule) Pop() any {
	old := *s
	l := old[len(old)-1]
	*s = old[:len(old)-1]
	return l
}

func newGenerator(w *bufio.Writer, seed uint64, domains int, rate float64) *generator {
	g := &generator{w: w, r: rand.New(rand.NewPCG(seed, 2)), rate: rate}
	g.domains = g.makeDomains(domains)
	return g
}

func (g *generator) run(lines int64) {
	// A message has five lines and a bit: see message.
	next := 0.0
	for g.written < lines {
		for len(g.due) == 0 || g.due[0].at >= next {
			g.now = next
			g.message()
			next += g.r.ExpFloat64() * 5.9 / g.rate / g.daytime(next)
		}
		l := heap.Pop(&g.due).(line)
		g.now = l.at
		g.emit(l.at, l.text)
		if l.then != nil {
			l.then()
		}
	}
}

// daytime is how busy an hour is, 1 on average.
func (g *generator) daytime(at float64) float64 {
	return 1 + 0.6*math.Sin((math.Mod(at, 86400)/86400-0.3)*2*math.Pi)
}

func (g *generator) emit(at float64, text string) {
	t := start.Add(time.Duration(at * float64(time.Second)))
	b := t.AppendFormat(g.w.AvailableBuffer(), "Jan _2 15:04:05 ")
	b = append(append(append(b, "mx1 postfix/"...), text...), '\n')
	copy(b, t.Month().String()[:3])
	_, _ = g.w.Write(b)
	g.written++
}

func (g *generator) add(at float64, then func(), format string, args ...any) {
	g.serial++
	heap.Push(&g.due, line{at: at, n: g.serial, text: fmt.Sprintf(format, args...), then: then})
}

func (g *generator) pid() int { return 1000 + g.r.IntN(400) }

// queueID is a short one: microseconds of the second, inode.
func (g *generator) queueID() string {
	g.serial++
	return fmt.Sprintf("%05X%06X", g.r.IntN(1<<20), (0x11C000+g.serial*7)&0xFFFFFF)
}

// message lets a message enter the queue.
func (g *generator) message() {
	id, at := g.queueID(), g.now
	client := fmt.Sprintf("app%d.internal.example[192.0.2.%d]", g.r.IntN(8), 10+g.r.IntN(8))
	if g.r.IntN(4) == 0 {
		g.add(at, nil, "smtpd[%d]: connect from %s", g.pid(), client)
		g.add(at+0.4, nil, "smtpd[%d]: disconnect from %s ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5", g.pid(), client)
	}
	g.add(at, nil, "smtpd[%d]: %s: client=%s, sasl_method=PLAIN, sasl_username=%s@example.com", g.pid(), id, client, g.pick(streams))
	stream := g.pick(streams)
	sender := fmt.Sprintf("bounce+%08x.%06x-%s@%s.example.com", g.r.Uint32(), g.r.IntN(1<<24), stream, stream)
	g.add(at+0.02, nil, "cleanup[%d]: %s: message-id=<%016x%08x.%d@mailer-%s.example.com>", g.pid(), id, g.r.Uint64(), g.r.Uint32(), int64(at*1000), stream)
	n := 1
	if g.r.IntN(12) == 0 {
		n += 1 + g.r.IntN(3)
	}
	m := &message{id: id, sender: sender, size: 2000 + int(g.r.ExpFloat64()*15000), arrived: at, left: n}
	g.activate(m, at+0.03)
	for range n {
		g.attempt(m, g.recipient(), at+0.05, 0)
	}
}

type message struct {
	id, sender string
	size       int
	arrived    float64
	left       int
}

func (g *generator) activate(m *message, at float64) {
	g.add(at, nil, "qmgr[900]: %s: from=<%s>, size=%d, nrcpt=%d (queue active)", m.id, m.sender, m.size, m.left)
}

// attempt writes what becomes of a recipient from now on: the try's outcome,
// and its retries.
func (g *generator) attempt(m *message, to recipient, at float64, tries int) {
	conn, xmit := 0.05+g.r.ExpFloat64()*0.2, 0.1+g.r.ExpFloat64()*0.4
	end := at + conn + xmit
	r := g.reply(to, tries)
	queued := at - m.arrived
	then := func() {
		if r.status != "deferred" || tries > 8 {
			if m.left--; m.left == 0 {
				g.add(end, nil, "qmgr[900]: %s: removed", m.id)
			}
			return
		}
		again := end + 300*math.Pow(2, float64(min(tries, 4)))
		g.activate(m, again)
		g.attempt(m, to, again+0.01, tries+1)
	}
	g.add(end, then, "smtp[%d]: %s: to=<%s>, relay=%s[%s]:25, delay=%s, delays=%s/%s/%s/%s, dsn=%s, status=%s (%s)",
		g.pid(), m.id, to.address, to.mx, to.ip, seconds(queued+conn+xmit), seconds(queued), seconds(0.01), seconds(conn), seconds(xmit), r.dsn, r.status, r.text)
}

// seconds is a delay as Postfix writes it: two digits that matter.
func seconds(s float64) string {
	if s >= 10 {
		return strconv.Itoa(int(s))
	}
	return strconv.FormatFloat(s, 'g', 2, 64)
}

// flood writes arrivals of messages that never leave.
func (g *generator) flood(lines int64) {
	for g.written < lines {
		g.now += 1 / g.rate
		g.serial++
		g.emit(g.now, fmt.Sprintf("qmgr[900]: %011X: from=<b-%08x@news.example.com>, size=%d, nrcpt=1 (queue active)",
			g.serial*0x3_0005&0xFFF_FFFF_FFFF, g.r.Uint32(), 2000+g.r.IntN(9000)))
	}
}
