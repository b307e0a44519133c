package page

import (
	"math"
	"strings"

	"repute/reports"
)

// evidence is the replies behind the falls, and why the gravest is read so.
type evidence struct {
	Quotes []reports.Quote
	Title  string
	Why    *why
}

func evidencePanel(b *builder) any {
	if len(b.Quotes) == 0 {
		return nil
	}
	e := evidence{Quotes: b.Quotes, Title: b.w.Say("evidence.head_one", "receiver", b.Quotes[0].Receiver.Name), Why: newWhy(b)}
	for i := range b.Quotes {
		if b.Quotes[i].Receiver.ID != b.Quotes[0].Receiver.ID {
			e.Title = b.w.Say("evidence.head")
		}
	}
	return &e
}

// why tells what the gravest fall is taken for, and what speaks against the
// other causes.
type why struct {
	Pair  *reports.Pair
	Is    string
	Not   []string
	Parts []whyPart
}

type whyPart struct {
	Name   string
	Points string
	Level  bool
	// The bar, in per cent of the row.
	X, Width float64
	Bad      bool
}

func newWhy(b *builder) *why {
	if len(b.Pairs) == 0 {
		return nil
	}
	p := &b.Pairs[0]
	if p.Fall == nil || p.Recovered || p.Unknown {
		return nil
	}
	cause := p.Fall.Because(b.w)
	w := &why{Pair: p, Is: b.w.Say("why.is", "because", cause, "confidence", reports.Confidence(b.w, p.Fall.Confidence))}
	w.not(b)
	w.parts(b)
	return w
}

// A score from here on is no sign of trouble; enough says how many other
// receivers speak for the IP.
const fine, enough = 80, 2

// not lists the causes that the numbers speak against.
func (w *why) not(b *builder) {
	say := func(key string, args ...any) { w.Not = append(w.Not, b.w.Say(key, args...)) }
	p := w.Pair
	if n := p.Counts.First(); n > 0 && 100*float64(p.Counts.UnknownUser)/float64(n) < watchShare {
		say("why.list", "share", b.w.Percent(p.Counts.UnknownUser, n))
	}
	var first, accepted uint32
	others, elsewhere, lowest, near, nearLowest := 0, 0, 100.0, []string{}, 100.0
	for i := range b.Pairs {
		q := &b.Pairs[i]
		here := q.Receiver.ID == p.Receiver.ID
		switch {
		case here && q.IP != p.IP:
			others++
			first += q.Counts.First()
			accepted += q.Counts.Accepted
			if !q.Unknown && q.Network == p.Network && p.Network != "" {
				near = append(near, q.IP+" "+reports.Number(q.Score))
				nearLowest = min(nearLowest, q.Score)
			}
		case !here && q.IP == p.IP && !q.Unknown:
			elsewhere++
			lowest = min(lowest, q.Score)
		}
	}
	if first > 0 && float64(accepted) >= 0.8*float64(first) && p.Fall.Cause != "receiver" {
		say("why.outage", "n", others, "share", b.w.Percent(accepted, first))
	}
	if elsewhere >= enough && lowest >= fine && p.Fall.Cause != "ip" {
		say("why.elsewhere", "n", elsewhere, "lo", lowest)
	}
	if len(near) > 0 && nearLowest >= fine && p.Fall.Cause != "neighbourhood" {
		say("why.neighbours", "list", strings.Join(near[:min(len(near), 4)], ", "))
	}
}

// parts are the bars of what adds up to the score.
func (w *why) parts(b *builder) {
	c := &w.Pair.Parts
	at := c.Level
	w.Parts = append(w.Parts, whyPart{Name: b.w.Say("explain.part_level"), Points: reports.Number(c.Level), Level: true, Width: round1(c.Level)})
	for _, part := range []struct {
		name   string
		points float64
	}{
		{b.w.Say("explain.part_ip"), c.IP},
		{w.Pair.Network, c.Network},
		{w.Pair.Receiver.Name, c.Receiver},
		{b.w.Say("explain.part_private"), c.Private},
	} {
		if part.name == "" {
			continue
		}
		from, to := clamp(min(at, at+part.points)), clamp(max(at, at+part.points))
		w.Parts = append(w.Parts, whyPart{Name: part.name, Points: points(b.w, part.points), X: round1(from), Width: round1(math.Max(to-from, 0.5)), Bad: part.points < 0})
		at += part.points
	}
}

func clamp(x float64) float64 { return min(max(x, 0), 100) }
