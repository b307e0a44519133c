package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"repute/delivery"
)

// Explanation is what is known of one pair on one day.
type Explanation struct {
	IP, Network   string
	Receiver      delivery.Receiver
	Day           time.Time
	Score, Lo, Hi float64
	Band          string
	Unknown       bool
	Borrowed      bool
	Needs         int
	Evidence      uint32 // first outcomes of its own in 30 days
	WeekBefore    float64
	KnownBefore   bool
	Parts         []Part
	Change        *Change         // the latest; nil if there was none
	Week          delivery.Counts // the last seven days
	Reference     delivery.Counts // the seven days before those
	Replies       []Quote
	Others        []Other  // other sending IPs at the receiver
	Elsewhere     []Other  // the IP at other receivers
	Events        []string // outages, lists, own network in the last seven days
	Action        *Action
}

// Part is what one part of the model adds to the score, in points.
type Part struct {
	Name   string
	Points float64
	Level  bool // the score of the usual level alone
}

// Other is a score to compare with.
type Other struct {
	Name      string
	Score     float64
	Neighbour bool
}

// Explain prints an explanation: one screen of a terminal.
func Explain(w io.Writer, e *Explanation) error {
	var b strings.Builder
	line := func(head, format string, args ...any) {
		fmt.Fprintf(&b, "  %-9s%s\n", head, Printable(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(&b, "%s at %s, end of %s\n\n", Printable(e.IP), Printable(e.Receiver.Name), e.Day.Format("Mon 2 Jan 2006 MST"))
	if e.Unknown {
		fmt.Fprintf(&b, "  ?   (%.0f-%.0f)  unknown: needs about %d more first outcomes     SMTP view\n", e.Lo, e.Hi, e.Needs)
	} else {
		fmt.Fprintf(&b, "  %.0f  (%.0f-%.0f)  %s%s     SMTP view\n", e.Score, e.Lo, e.Hi, e.Band, e.change())
	}
	fmt.Fprintf(&b, "      %s\n", ruler(e))
	if c := e.Change; c != nil {
		line("CAUSE", "%s, %s, %.0f to %.0f since %s, confidence %s", causeWord(c.Cause), c.Entity, c.Before, c.After,
			c.Since.Format("Mon 2 Jan 15:04"), confidence(c.Confidence))
	}
	e.evidence(line)
	parts := make([]string, 0, len(e.Parts))
	for _, p := range e.Parts {
		if p.Level {
			parts = append(parts, fmt.Sprintf("%s %.0f", p.Name, p.Points))
		} else if p.Name != "" {
			parts = append(parts, fmt.Sprintf("%s %+.0f", p.Name, p.Points))
		}
	}
	line("PARTS", "%s", strings.Join(parts, " | "))
	for i := range e.Replies {
		head := ""
		if i == 0 {
			head = "REPLIES"
		}
		line(head, "%s x %s", thousands(e.Replies[i].Count), cut(reply(&e.Replies[i]), 130))
	}
	e.compare(line)
	if a := e.Action; a != nil {
		head, text := actionWords(a)
		line("DO", "%s. %s", head, text)
		if e.Receiver.Help != "" {
			line("", "%s", e.Receiver.Help)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (e *Explanation) change() string {
	s := ""
	if e.Borrowed {
		s += ", borrowed: little mail of its own"
	}
	if d := e.Score - e.WeekBefore; e.KnownBefore && (d > 5 || d < -5) {
		s += fmt.Sprintf("   %+.0f in a week", d)
	}
	return s
}

// ruler draws the interval on a scale of 50 columns: O the score, [ and ] its
// ends, < the week before.
func ruler(e *Explanation) string {
	const width = 50
	at := func(score float64) int { return min(max(int(score/100*width), 0), width-1) }
	r := []byte(strings.Repeat(".", width))
	for i := at(e.Lo); i <= at(e.Hi); i++ {
		r[i] = '='
	}
	r[at(e.Lo)], r[at(e.Hi)] = '[', ']'
	if e.KnownBefore {
		r[at(e.WeekBefore)] = '<'
	}
	if !e.Unknown {
		r[at(e.Score)] = 'O'
	}
	return "0 " + string(r) + " 100"
}

func (e *Explanation) evidence(line func(string, string, ...any)) {
	c, ref := &e.Week, &e.Reference
	line("EVIDENCE", "7 days: %s first outcomes: %s accepted, %s deferred and %s refused because of the IP", thousands(int64(c.First())),
		thousands(int64(c.Accepted)), thousands(int64(c.DeferPolicy+c.DeferSlow+c.Throttled)), thousands(int64(c.RejectPolicy+c.RejectGeneric)))
	line("", "the week before: %s of %s accepted; %s of its own in 30 days", thousands(int64(ref.Accepted)), thousands(int64(ref.First())), thousands(int64(e.Evidence)))
}

// compare says what it is not, as far as others tell.
func (e *Explanation) compare(line func(string, string, ...any)) {
	slices.SortStableFunc(e.Others, func(a, b Other) int { return int(b.Score) - int(a.Score) })
	slices.SortStableFunc(e.Elsewhere, func(a, b Other) int { return int(a.Score) - int(b.Score) })
	var near, far []string
	for _, o := range e.Others {
		word := fmt.Sprintf("%s %.0f", o.Name, o.Score)
		if o.Neighbour {
			near = append(near, word)
		} else if len(far) < 4 {
			far = append(far, word)
		}
	}
	head := "COMPARE"
	for _, row := range []struct {
		words []string
		what  string
	}{
		{near, "neighbours in " + e.Network + " here: "}, {far, "other IPs here: "},
	} {
		if len(row.words) > 0 {
			line(head, "%s%s", row.what, strings.Join(row.words, ", "))
			head = ""
		}
	}
	if len(e.Elsewhere) > 0 {
		var words []string
		for _, o := range e.Elsewhere[:min(len(e.Elsewhere), 5)] {
			words = append(words, fmt.Sprintf("%s %.0f", o.Name, o.Score))
		}
		line(head, "this IP elsewhere, lowest first: %s", strings.Join(words, ", "))
	}
	c := &e.Week
	if n := c.First(); n > 0 && c.UnknownUser > 0 {
		line("NOT", "counted: %s unknown users (%.1f %%), %s greylisted, %s without connection, %s for content", thousands(int64(c.UnknownUser)),
			100*float64(c.UnknownUser)/float64(n), thousands(int64(c.Greylisted)), thousands(int64(c.Connection)), thousands(int64(c.Content)))
	}
	for i, ev := range e.Events[:min(len(e.Events), 3)] {
		head := ""
		if i == 0 {
			head = "ALSO"
		}
		line(head, "%s", ev)
	}
}

func confidence(p float64) string {
	switch {
	case p >= 0.9:
		return "high"
	case p >= 0.7:
		return "medium"
	}
	return "low"
}
