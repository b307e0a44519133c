package ingest

import (
	"context"

	"repute/delivery"
	"repute/internal/store"
	"repute/rules"
)

// Relabeled is what a change of the rules moved.
type Relabeled struct {
	Templates, Changed int // reply templates; those whose reason or rule is another now
	Attempts, First    int64
	Reasons            map[[2]delivery.Reason]int64 // (was, is) → attempts
}

// RulesMeta is the key under which the store keeps the version of the rules
// that its verdicts are of.
const RulesMeta = "rules"

// Relabel classifies the replies in a store again, with other rules, and books
// the attempts and the evidence anew, without the logs. Evidence of attempts
// that were pruned stays as it is. With dry it changes nothing.
func Relabel(ctx context.Context, s *store.Store, set *rules.Set, dry bool) (*Relabeled, error) {
	l := &relabeler{set: set, split: map[[2]int32]int32{}, out: &Relabeled{Reasons: map[[2]delivery.Reason]int64{}}}
	var err error
	if l.templates, err = s.Templates(ctx); err != nil {
		return nil, err
	}
	l.out.Templates = len(l.templates)
	if l.receivers, err = s.Receivers(ctx); err != nil {
		return nil, err
	}
	uses, err := s.Uses(ctx)
	if err != nil {
		return nil, err
	}
	l.own()
	for _, u := range uses {
		l.move(u)
	}
	if dry {
		return l.out, nil
	}
	state, err := s.OpenState(ctx)
	if err != nil {
		return nil, err
	}
	c, err := newCorrelator(state)
	if err != nil {
		return nil, err
	}
	var open []int64
	for _, m := range c.open {
		if m.ID != 0 {
			open = append(open, m.ID)
		}
	}
	err = s.Relabel(ctx, l.changed, l.moves, open, c.relabel)
	if err != nil {
		return nil, err
	}
	return l.out, s.SetMeta(ctx, RulesMeta, set.Version())
}

type relabeler struct {
	set       *rules.Set
	templates []store.Template
	receivers []store.Named
	was       []delivery.Verdict // by template, before
	split     map[[2]int32]int32 // (template, receiver) → the template of that receiver alone
	changed   []store.Template
	moves     []store.Move
	out       *Relabeled
}

// own classifies each template for the receiver that it is of.
func (l *relabeler) own() {
	for i := range l.templates {
		t := &l.templates[i]
		l.was = append(l.was, t.Verdict)
		if v := l.classify(t, t.Receiver); v != t.Verdict {
			t.Verdict = v
			l.changed = append(l.changed, *t)
			l.out.Changed++
		}
	}
}

func (l *relabeler) classify(t *store.Template, receiver int32) delivery.Verdict {
	name := ""
	if receiver > 0 {
		name = l.receivers[receiver-1].Name
	}
	r := t.Reply
	r.Text = []byte(t.Sample)
	return l.set.Classify(name, r)
}

// move books a use anew. A receiver that a rule is for from now on gets a
// template of its own out of the one that it shared.
func (l *relabeler) move(u store.Use) {
	t := l.templates[u.Template-1]
	was := l.was[u.Template-1]
	if t.Receiver == 0 && l.set.Names(l.receivers[u.Receiver-1].Name) {
		if v := l.classify(&t, u.Receiver); v != t.Verdict {
			t = l.splitOff(t, u.Receiver, v)
		}
	}
	m := store.Move{From: u, Template: t.ID, Class: l.class(&t, u.Status), WasListed: was.Reason == delivery.Blocklist, IsListed: t.Verdict.Reason == delivery.Blocklist}
	if m.Template == u.Template && m.Class == u.Class && m.WasListed == m.IsListed {
		return
	}
	l.moves = append(l.moves, m)
	l.out.Attempts += u.Attempts
	l.out.First += u.First
	l.out.Reasons[[2]delivery.Reason{was.Reason, t.Verdict.Reason}] += u.Attempts
}

func (l *relabeler) class(t *store.Template, status delivery.Status) delivery.Class {
	return delivery.ClassOf(status, true, &t.Reply, t.Verdict)
}

func (l *relabeler) splitOff(t store.Template, receiver int32, v delivery.Verdict) store.Template {
	key := [2]int32{t.ID, receiver}
	id, ok := l.split[key]
	if !ok {
		id = int32(len(l.templates) + 1)
		l.split[key] = id
		old := t.Verdict
		t.ID, t.Receiver, t.Verdict = id, receiver, v
		l.templates = append(l.templates, t)
		l.was = append(l.was, old)
		l.changed = append(l.changed, t)
		l.out.Changed++
	}
	return l.templates[id-1]
}

// relabel lets the open messages know what their first outcomes are booked as,
// and returns the state.
func (c *correlator) relabel(first []store.FirstOutcome) []byte {
	classes := map[store.FirstOutcome]delivery.Class{}
	for _, f := range first {
		classes[store.FirstOutcome{Message: f.Message, Recipient: f.Recipient}] = f.Class
	}
	for _, m := range c.open {
		for i := range m.Recipients {
			r := &m.Recipients[i]
			if class, ok := classes[store.FirstOutcome{Message: m.ID, Recipient: r.Hash}]; ok && r.Class != delivery.ClassNone {
				r.Class = class
			}
		}
	}
	return c.save(nil)
}
