package analysis

import (
	"cmp"
	"slices"
	"time"

	"repute/delivery"
	"repute/internal/store"
	"repute/reports"
)

// quote is a reply with what its rule says to do.
func (a *Analysis) quote(k pairKey, r *store.Reply, reason delivery.Reason, zone *time.Location) *reports.Quote {
	q := &reports.Quote{
		IP: k.ip, Receiver: a.Receiver(k.receiver), Count: r.First, Code: r.Code, Text: r.Sample, Reason: reason,
		From: time.UnixMicro(r.From).In(zone), To: time.UnixMicro(r.To).In(zone), Link: a.Receiver(k.receiver).Help,
	}
	if rule, ok := a.rules.Rule(r.Rule); ok {
		q.Advice = rule.Advice
		if rule.Link != "" {
			q.Link = rule.Link
		}
	}
	return q
}

const maxActions = 8

// actions says what to do about the falls that have not come back, then about
// what only outside sources see, about lists, and about sources whose address
// is not known.
func actions(f *reports.Findings) []reports.Action {
	var out []reports.Action
	told := map[string]bool{}
	add := func(key string, act reports.Action) {
		if !told[key] && len(out) < maxActions {
			told[key] = true
			out = append(out, act)
		}
	}
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.Fall == nil || p.Recovered {
			continue
		}
		key, act := actionFor(p)
		if anotherHelps(&act) {
			act.Better, act.Score = betterIP(f, p)
		}
		act.Quote = quoteFor(f, p)
		if act.Quote != nil {
			act.Link = act.Quote.Link
		}
		add(key, act)
	}
	for _, act := range outsideActions(f) {
		add(act.Code+" "+act.IP+" "+act.Receiver.ID, act)
	}
	for i := range f.Others {
		if o := &f.Others[i]; o.Cause == "list" {
			add("list "+o.Entity, reports.Action{Code: "list", Entity: o.Entity})
		}
	}
	for _, s := range f.Coverage.UnknownSources {
		add("learn "+s, reports.Action{Code: "learn", Entity: s})
	}
	return out
}

// What outside sources must show before something is to be done: the share of
// accepted mail in the spam folder, and by how much that lowers the score; the
// share of complaints, and of how many mails it is known.
const (
	folderMuch      = 0.3
	folderGap       = 20
	complaintsMuch  = 0.001
	complaintsKnown = 1000
)

// outsideActions are about mail that is accepted and foldered, and about
// readers that complain.
func outsideActions(f *reports.Findings) (out []reports.Action) {
	for i := range f.Pairs {
		p := &f.Pairs[i]
		if p.View == nil || p.Unknown || p.Fall != nil && !p.Recovered || p.View.Spam < folderMuch || p.Score-p.View.Score < folderGap {
			continue
		}
		out = append(out, reports.Action{Code: "folder", IP: p.IP, Receiver: p.Receiver, Share: p.View.Spam, Link: p.Receiver.Help})
	}
	slices.SortStableFunc(out, func(x, y reports.Action) int { return cmp.Compare(y.Share, x.Share) })
	for i := range f.Folders {
		s := &f.Folders[i]
		share := s.Value
		if s.Kind == delivery.SignalComplaint && s.N >= complaintsKnown {
			share = float64(s.K) / float64(s.N)
		} else if s.Kind != delivery.SignalSpamRate {
			continue
		}
		if share >= complaintsMuch && s.IP != "" && s.Receiver.ID != "" {
			out = append(out, reports.Action{Code: "complaints", IP: s.IP, Receiver: s.Receiver, Share: share, Link: s.Receiver.Help})
		}
	}
	return out
}

// actionFor chooses by cause and state (docs/model.md, what to do).
func actionFor(p *reports.Pair) (key string, act reports.Action) {
	act = reports.Action{IP: p.IP, Receiver: p.Receiver, Entity: p.Fall.Entity, Fell: p.Fall.Fell, Of: p.Fall.Of}
	switch p.Fall.Cause {
	case "ip":
		act.Code = "ip"
		return "ip " + p.IP, act
	case "neighbourhood", "receiver", "stream":
		act.Code = p.Fall.Cause
		return p.Fall.Cause + " " + p.Fall.Entity, act
	}
	act.Code = "slow"
	if p.Score < 50 {
		act.Code = "move"
	}
	return "pair " + p.IP + " " + p.Receiver.ID, act
}

// anotherHelps tells whether another sending IP is worth naming: not where the
// receiver turned against all of them.
func anotherHelps(act *reports.Action) bool { return act.Code != "receiver" || act.Fell < act.Of }

// betterIP finds the sending IP that does best at the receiver.
func betterIP(f *reports.Findings, p *reports.Pair) (ip string, score float64) {
	for i := range f.Pairs {
		o := &f.Pairs[i]
		if o.Receiver.ID == p.Receiver.ID && o.IP != p.IP && !o.Unknown && !o.Borrowed && o.Score > max(score, 80, p.Score+10) {
			ip, score = o.IP, o.Score
		}
	}
	return ip, score
}

func quoteFor(f *reports.Findings, p *reports.Pair) *reports.Quote {
	for i := range f.Quotes {
		if q := &f.Quotes[i]; q.IP == p.IP && q.Receiver.ID == p.Receiver.ID {
			return q
		}
	}
	return nil
}
