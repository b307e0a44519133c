package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"repute/inference"
)

// Plan says how much one sending IP may send to one receiver tomorrow.
type Plan struct {
	IP, Receiver string
	Score, Lo    float64
	Unknown      bool
	Best         bool    // of all IPs at the receiver, the one to use first
	Yesterday    uint32  // first outcomes of the last day with evidence
	Most         uint32  // accepted on the best day of the last seven
	Accepted     float64 // share accepted at the first try on the last day with mail, 0–1
	Tomorrow     int     // messages
	Hourly       int     // of them in one hour at most
	Why          string
}

// The pacing of METHOD.md, section 7: down to 0.7 of what was accepted, up by
// a fifth a day while more than 95 % is accepted at the first try; probes where
// nothing is known or nearly all is refused.
const (
	planSlow, planGrow = 0.7, 1.2
	planAccepted       = 0.95
	planProbe          = 10 // a day, where nothing is known or all is refused
	planStart          = 50 // of a pair that was never sent to
	planDays           = 7
)

// day is what a pair sent on one day.
type day struct{ judged, accepted uint32 }

// Plan makes tomorrow's plan: by receiver, the best IP first.
func (a *Analysis) Plan(ctx context.Context) ([]Plan, error) {
	r, err := a.RunSince(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	return a.PlanOf(ctx, &r)
}

// PlanOf is Plan for those who have the model's result already.
func (a *Analysis) PlanOf(ctx context.Context, r *Result) ([]Plan, error) {
	if len(r.Estimates) == 0 {
		return nil, nil
	}
	last := r.Estimates[len(r.Estimates)-1].Day
	sent, err := a.sent(ctx, last.AddDate(0, 0, -planDays+1))
	if err != nil {
		return nil, err
	}
	var out []Plan
	for i := range r.Estimates {
		if e := &r.Estimates[i]; e.Day.Equal(last) {
			out = append(out, planOf(e, sent[pairKey{e.IP, e.Receiver}]))
		}
	}
	slices.SortStableFunc(out, func(x, y Plan) int {
		return cmp.Or(cmp.Compare(x.Receiver, y.Receiver), cmp.Compare(y.rank(), x.rank()), cmp.Compare(x.IP, y.IP))
	})
	for i := range out {
		out[i].Best = !out[i].Unknown && out[i].Score >= 50 && (i == 0 || out[i-1].Receiver != out[i].Receiver)
	}
	return out, nil
}

// rank orders the IPs at a receiver: what is surely good before what may be.
func (p *Plan) rank() float64 {
	if p.Unknown {
		return p.Lo - 100
	}
	return p.Lo
}

// sent adds up the first outcomes of each pair by day, from a day on.
func (a *Analysis) sent(ctx context.Context, from time.Time) (map[pairKey][]day, error) {
	out := map[pairKey][]day{}
	for e, err := range a.evidenceSince(ctx, from.Unix(), false) {
		if err != nil {
			return nil, err
		}
		n := int(time.Unix(e.Hour, 0).Sub(from).Hours()) / 24
		if e.Hour < from.Unix() || n >= planDays {
			continue
		}
		k := pairKey{e.IP, e.Receiver}
		if out[k] == nil {
			out[k] = make([]day, planDays)
		}
		// Unknown users, full mailboxes and outages are no reason to slow down.
		out[k][n].judged += e.Accepted + e.DeferPolicy + e.DeferSlow + e.RejectPolicy + e.RejectGeneric + e.Listed + e.Throttled
		out[k][n].accepted += e.Accepted
	}
	return out, nil
}

func planOf(e *inference.Estimate, days []day) Plan {
	p := Plan{IP: e.IP, Receiver: e.Receiver, Score: e.Score, Lo: e.Lo, Unknown: e.Unknown}
	for _, d := range days {
		p.Most = max(p.Most, d.accepted)
		if d.judged > 0 {
			p.Accepted = float64(d.accepted) / float64(d.judged)
			p.Yesterday = d.judged
		}
	}
	// The score counts the spam folder where something is known of it.
	score := e.Score
	if e.View == inference.ViewFull {
		score = min(score, e.Full)
	}
	switch {
	case e.Unknown && p.Most < planProbe:
		p.Tomorrow, p.Why = planProbe, "not known: 30 messages over 3 days tell"
	case e.Unknown:
		p.Tomorrow, p.Why = max(planProbe, int(planSlow*float64(p.Most))), "not known: less than was accepted, until it is"
	case score < 50:
		p.Tomorrow, p.Why = planProbe, "mostly refused, slowed down or put in the spam folder: no bulk mail; ask for delisting, test with this much"
	case score < 80 || p.Accepted < 0.8 && p.Yesterday > 0:
		p.Tomorrow, p.Why = max(planProbe, int(planSlow*float64(p.Most))), "a part is refused, slowed down or put in the spam folder: 0.7 of what was accepted on the best day, ten at least"
	case p.Most == 0:
		p.Tomorrow, p.Why = planStart, "good, and no mail in the last week: begin small"
	case p.Accepted >= planAccepted && planGrow*float64(p.Most) <= planStart:
		p.Tomorrow, p.Why = planStart, "accepted: this few need no warm-up"
	case p.Accepted >= planAccepted:
		p.Tomorrow, p.Why = int(math.Ceil(planGrow*float64(p.Most))), "accepted: a fifth more than on the best day of the week"
	default:
		p.Tomorrow, p.Why = max(planProbe, int(p.Most)), "good: as much as on the best day of the week"
	}
	p.Hourly = (p.Tomorrow + 7) / 8
	if score < 50 {
		p.Hourly = min(p.Hourly, 20)
	}
	return p
}
