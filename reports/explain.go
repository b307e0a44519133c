package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"repute/delivery"
	"repute/reports/words"
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
	View          *FullView // nil: the SMTP view alone
	Parts         []Part
	Change        *Change         // the latest; nil if there was none
	Week          delivery.Counts // the last seven days
	Reference     delivery.Counts // the seven days before those
	SinceFall     *uint32         // first outcomes since Change; nil: no fall, or not of these two weeks
	Replies       []Quote
	Others        []Other      // other sending IPs at the receiver
	Elsewhere     []Other      // the IP at other receivers
	Signs         []FolderSign // what outside sources said in the last seven days
	Public        *PublicScore // nil: nothing is known
	Events        []Change     // outages, lists, own network in the last seven days
	Action        *Action
}

// Part is what one part of the model adds to the score, in points.
type Part struct {
	Kind   PartKind
	Points float64 // of PartLevel: the score of the usual level alone
}

// PartKind names a part of the model.
type PartKind uint8

// The parts.
const (
	PartLevel PartKind = iota
	PartIP
	PartNetwork
	PartReceiver
	PartPrivate
)

// Other is a score to compare with.
type Other struct {
	Name      string
	Score     float64
	Neighbour bool
}

// explainer prints an explanation.
type explainer struct {
	*Explanation
	w *words.Words
	b strings.Builder
}

// Explain prints an explanation: one screen of a terminal.
func Explain(out io.Writer, e *Explanation, w *words.Words) error {
	x := &explainer{Explanation: e, w: w}
	fmt.Fprintf(&x.b, "%s\n\n", Printable(w.Say("explain.head", "ip", e.IP, "receiver", e.Receiver.Name, "day", w.Long(e.Day), "zone", e.Day.Format("MST"))))
	view := w.Say("explain.view_smtp")
	if e.View != nil {
		view = w.Say("explain.view_full", "score", e.View.Score, "lo", e.View.Lo, "hi", e.View.Hi)
	}
	if e.Unknown {
		fmt.Fprintf(&x.b, "  ?   (%.0f-%.0f)  %s     %s\n", e.Lo, e.Hi, w.Say("explain.unknown", "n", e.Needs), view)
	} else {
		fmt.Fprintf(&x.b, "  %.0f  (%.0f-%.0f)  %s%s     %s\n", e.Score, e.Lo, e.Hi, w.Say("band."+e.Band), x.change(), view)
	}
	fmt.Fprintf(&x.b, "      %s\n", ruler(e))
	x.cause()
	x.evidence()
	x.why()
	x.parts()
	for i := range e.Replies {
		x.line(first(i, "explain.h_replies"), w.Number(e.Replies[i].Count)+" x "+words.Cut(e.Replies[i].Reply(), 130))
	}
	x.compare()
	x.outside()
	if a := e.Action; a != nil {
		head, text := a.Words(w)
		x.line("explain.h_do", head)
		x.line("", text)
		if e.Receiver.Help != "" {
			x.line("", e.Receiver.Help)
		}
	}
	_, err := io.WriteString(out, x.b.String())
	return err
}

// line prints a row; head is the key of its heading.
func (x *explainer) line(head, text string) {
	if head != "" {
		head = x.w.Say(head)
	}
	fmt.Fprintf(&x.b, "  %s%s\n", words.Pad(head, 9), Printable(text))
}

// first is the heading of a list's first row.
func first(i int, key string) string {
	if i == 0 {
		return key
	}
	return ""
}

func (x *explainer) cause() {
	c := x.Change
	if c == nil {
		return
	}
	key := "explain.cause"
	if c.Entity == "" {
		key = "explain.cause_alone"
	}
	x.line("explain.h_cause", x.w.Say(key, "cause", CauseWord(x.w, c.Cause), "entity", c.Entity, "before", c.Before, "after", c.After,
		"since", x.w.Moment(c.Since), "noticed", x.w.Moment(c.Noticed), "confidence", Confidence(x.w, c.Confidence)))
}

func (x *explainer) change() string {
	s := ""
	if x.Borrowed {
		s += x.w.Say("explain.borrowed")
	}
	if d := x.Score - x.WeekBefore; x.KnownBefore && (d > 5 || d < -5) {
		s += "   " + x.w.Say("explain.week", "points", fmt.Sprintf("%+.0f", d))
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

func (x *explainer) evidence() {
	c, ref := &x.Week, &x.Reference
	x.line("explain.h_evidence", x.w.Say("explain.evidence", "n", c.First(), "accepted", c.Accepted,
		"deferred", c.DeferPolicy+c.DeferSlow+c.Throttled, "refused", c.RejectPolicy+c.RejectGeneric))
	x.line("", x.w.Say("explain.before", "accepted", ref.Accepted, "n", ref.First(), "own", x.Explanation.Evidence))
}

// why says why the evidence makes no score: hundreds of first outcomes may not,
// where a fall has just made them old.
func (x *explainer) why() {
	if !x.Unknown {
		return
	}
	x.line("explain.h_why", x.w.Say("explain.wide", "width", x.Hi-x.Lo))
	switch n := x.Week.First(); {
	case x.SinceFall != nil:
		x.line("", x.w.Say("explain.wide_fell", "n", *x.SinceFall))
	case n > 0:
		x.line("", x.w.Say("explain.wide_few", "n", n))
	default:
		x.line("", x.w.Say("explain.wide_none"))
	}
}

// parts names what adds up to the score.
func (x *explainer) parts() {
	var list []string
	for _, p := range x.Parts {
		name := ""
		switch p.Kind {
		case PartLevel:
			list = append(list, x.w.Say("explain.part_level")+" "+Number(p.Points))
			continue
		case PartIP:
			name = x.w.Say("explain.part_ip")
		case PartNetwork:
			name = x.Network
		case PartReceiver:
			name = x.Receiver.Name
		case PartPrivate:
			name = x.w.Say("explain.part_private")
		}
		if name != "" {
			list = append(list, fmt.Sprintf("%s %+.0f", name, p.Points))
		}
	}
	x.line("explain.h_parts", strings.Join(list, " | "))
}

// outside sets what others say beside the score.
func (x *explainer) outside() {
	var said []string
	for i := range x.Signs {
		if word := x.Signs[i].Words(x.w); word != "" {
			said = append(said, word)
		}
	}
	if x.View != nil {
		said = append(said, x.w.Say("lists.spam_share", "share", 100*x.View.Spam))
	}
	head := "explain.h_outside"
	if len(said) > 0 {
		x.line(head, strings.Join(said, " | "))
		head = ""
	}
	if x.Public != nil {
		x.line(head, x.w.Say("explain.public", "scores", x.Public.Words(x.w)))
	}
}

// compare says what it is not, as far as others tell.
func (x *explainer) compare() {
	slices.SortStableFunc(x.Others, func(a, b Other) int { return int(b.Score) - int(a.Score) })
	slices.SortStableFunc(x.Elsewhere, func(a, b Other) int { return int(a.Score) - int(b.Score) })
	var near, far, elsewhere []string
	for _, o := range x.Others {
		word := o.Name + " " + Number(o.Score)
		if o.Neighbour {
			near = append(near, word)
		} else if len(far) < 4 {
			far = append(far, word)
		}
	}
	for _, o := range x.Elsewhere[:min(len(x.Elsewhere), 5)] {
		elsewhere = append(elsewhere, o.Name+" "+Number(o.Score))
	}
	i := 0
	for _, row := range []struct {
		key   string
		names []string
	}{{"explain.neighbours", near}, {"explain.others", far}, {"explain.elsewhere", elsewhere}} {
		if len(row.names) > 0 {
			x.line(first(i, "explain.h_compare"), x.w.Say(row.key, "network", x.Network, "list", strings.Join(row.names, ", ")))
			i++
		}
	}
	c := &x.Week
	n := c.First()
	counted := c.Accepted + c.DeferPolicy + c.DeferSlow + c.Throttled + c.RejectPolicy + c.RejectGeneric
	if n > counted {
		x.line("explain.h_not", x.w.Say("explain.not", "unknown", c.UnknownUser, "share", x.w.Percent(c.UnknownUser, n),
			"greylisted", c.Greylisted, "connection", c.Connection, "content", c.Content,
			"other", n-counted-c.UnknownUser-c.Greylisted-c.Connection-c.Content))
	}
	for i, ev := range x.Events[:min(len(x.Events), 3)] {
		x.line(first(i, "explain.h_also"), x.w.Say("explain.event", "cause", CauseWord(x.w, ev.Cause), "entity", ev.Entity, "day", ev.Since))
	}
}
