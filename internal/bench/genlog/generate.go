package main

import (
	"bufio"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// generator keeps the lines that are due later in a heap, so that messages
// overlap as they do in a real log.
type generator struct {
	w       *bufio.Writer
	r       *rand.Rand
	mta     mta
	domains []domain
	due     schedule
	now     float64 // seconds since start
	rate    float64 // lines a second
	written int64
	serial  int64
}

// mta writes the lines of messages as one program does.
type mta interface {
	stamp(b []byte, t time.Time) []byte // what each line begins with
	linesEach() float64                 // of a message, about
	arrive() *message                   // writes the lines of a new message
	activate(m *message, at float64)    // before the first try and each retry
	outcome(m *message, to recipient, r reply, queued, conn, xmit float64) string
	leave(m *message) string
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
	g.mta = postfix{g}
	g.domains = g.makeDomains(domains)
	return g
}

func (g *generator) run(lines int64) {
	next := 0.0
	for g.written < lines {
		for len(g.due) == 0 || g.due[0].at >= next {
			g.now = next
			g.message()
			next += g.r.ExpFloat64() * g.mta.linesEach() / g.rate / g.daytime(next)
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
	b := g.mta.stamp(g.w.AvailableBuffer(), t)
	_, _ = g.w.Write(append(append(b, text...), '\n'))
	g.written++
}

func (g *generator) add(at float64, then func(), format string, args ...any) {
	g.serial++
	heap.Push(&g.due, line{at: at, n: g.serial, text: fmt.Sprintf(format, args...), then: then})
}

func (g *generator) pid() int { return 1000 + g.r.IntN(400) }

func (g *generator) client() string {
	return fmt.Sprintf("app%d.internal.example[192.0.2.%d]", g.r.IntN(8), 10+g.r.IntN(8))
}

// verp is an envelope sender, another for each message.
func (g *generator) verp(stream string) string {
	return fmt.Sprintf("bounce+%08x.%06x-%s@%s.example.com", g.r.Uint32(), g.r.IntN(1<<24), stream, stream)
}

func (g *generator) messageID(stream string) string {
	return fmt.Sprintf("%016x%08x.%d@mailer-%s.example.com", g.r.Uint64(), g.r.Uint32(), int64(g.now*1000), stream)
}

// message lets a message enter the queue.
func (g *generator) message() {
	at := g.now
	m := g.mta.arrive()
	m.left = 1
	if g.r.IntN(12) == 0 {
		m.left += 1 + g.r.IntN(3)
	}
	m.size, m.arrived = 2000+int(g.r.ExpFloat64()*15000), at
	g.mta.activate(m, at+0.03)
	for range m.left {
		g.attempt(m, g.recipient(), at+0.05, 0)
	}
}

type message struct {
	id, sender string
	size       int
	arrived    float64
	left       int
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
				g.add(end, nil, "%s", g.mta.leave(m))
			}
			return
		}
		again := end + 300*math.Pow(2, float64(min(tries, 4)))
		g.mta.activate(m, again)
		g.attempt(m, to, again+0.01, tries+1)
	}
	g.add(end, then, "%s", g.mta.outcome(m, to, r, queued, conn, xmit))
}
