package analysis

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"repute/delivery"
	"repute/internal/store"
	"repute/reports"
)

// The time before the period with which delays are compared, and how much
// mail it and the period need.
const delayBefore, delayMails = 28, 20

// delays finds how long the deliveries of each pair took.
func (a *Analysis) delays(ctx context.Context, f *reports.Findings) error {
	from := f.Period.From
	type histogram map[int32]int64
	now, before := map[pairKey]histogram{}, map[pairKey]histogram{}
	rows, err := a.store.Delays(ctx, from.AddDate(0, 0, -delayBefore).UnixMicro(), from.UnixMicro(), f.Period.To.UnixMicro())
	if err != nil {
		return err
	}
	for i := range rows {
		r := &rows[i]
		if !a.knows(r.Origin, r.Receiver, 0) {
			continue
		}
		into := now
		if r.Before {
			into = before
		}
		k := pairKey{a.source(r.Origin), a.receivers[r.Receiver-1].ID}
		if into[k] == nil {
			into[k] = histogram{}
		}
		into[k][r.Step] += r.Mails
	}
	for i := range f.Pairs {
		k := pairKey{f.Pairs[i].IP, f.Pairs[i].Receiver.ID}
		n, half := quantile(now[k], 0.5)
		if n < delayMails {
			continue
		}
		d := reports.Delay{IP: k.ip, Receiver: f.Pairs[i].Receiver, Mails: n, Half: half}
		_, d.Nine = quantile(now[k], 0.9)
		if n, nine := quantile(before[k], 0.9); n >= delayMails {
			d.Before = nine
		}
		f.Delays = append(f.Delays, d)
	}
	return nil
}

// quantile is the time within which a share of the mails was delivered, in
// seconds, and the number of mails.
func quantile(h map[int32]int64, share float64) (n int64, seconds float64) {
	var steps []int32
	for s, mails := range h {
		steps = append(steps, s)
		n += mails
	}
	slices.Sort(steps)
	sum := int64(0)
	for _, s := range steps {
		sum += h[s]
		if float64(sum) >= share*float64(n) {
			return n, store.DelayOf(s).Seconds()
		}
	}
	return n, 0
}

// publicDays is how old a public score may be.
const publicDays = 30

// outside sorts what outside sources said: of folders in the period, and what
// everybody can see.
func (a *Analysis) outside(ctx context.Context, f *reports.Findings) error {
	list, err := a.Signals(ctx)
	if err != nil {
		return err
	}
	type key struct {
		ip, receiver string
		kind         delivery.SignalKind
	}
	signs := map[key]*reports.FolderSign{}
	scores := map[string]*reports.PublicScore{}
	listed := map[[2]string]bool{}
	for i := range list { // by day
		s := &list[i]
		day := time.Unix(s.Day, 0).UTC()
		if !s.Verified || !day.Before(f.Period.To) {
			continue
		}
		switch s.Kind {
		case delivery.SignalSenderScore, delivery.SignalTalos, delivery.SignalBlockList:
			if day.After(f.Period.To.AddDate(0, 0, -publicDays)) && a.Sending(s.IP) {
				public(scores, listed, s)
			}
			continue
		}
		if day.Before(f.Period.From.AddDate(0, 0, -1)) {
			continue
		}
		k := key{s.IP, s.Receiver, s.Kind}
		sign := signs[k]
		if sign == nil {
			sign = &reports.FolderSign{IP: s.IP, Kind: s.Kind}
			if s.Receiver != "" {
				sign.Receiver = a.Receiver(s.Receiver)
			}
			signs[k] = sign
		}
		sign.Day, sign.Value = day, s.Value
		sign.N += int64(s.N)
		sign.K += int64(s.K)
	}
	for _, s := range signs {
		f.Folders = append(f.Folders, *s)
	}
	slices.SortFunc(f.Folders, func(x, y reports.FolderSign) int {
		return cmp.Or(cmp.Compare(x.Receiver.ID, y.Receiver.ID), cmp.Compare(x.IP, y.IP), cmp.Compare(x.Kind, y.Kind))
	})
	for ip, p := range scores {
		for k, is := range listed {
			if is && k[0] == ip {
				p.Lists = append(p.Lists, k[1])
			}
		}
		slices.Sort(p.Lists)
		f.Public = append(f.Public, *p)
	}
	slices.SortFunc(f.Public, func(x, y reports.PublicScore) int { return cmp.Compare(x.IP, y.IP) })
	return nil
}

// public takes in a public score; a later one takes an earlier one's place.
func public(scores map[string]*reports.PublicScore, listed map[[2]string]bool, s *store.Signal) {
	p := scores[s.IP]
	if p == nil {
		p = &reports.PublicScore{IP: s.IP}
		scores[s.IP] = p
	}
	value := math.Round(s.Value)
	switch s.Kind {
	case delivery.SignalSenderScore:
		p.SenderScore = &value
	case delivery.SignalTalos:
		p.Talos = &value
	case delivery.SignalBlockList:
		p.ListsAsked = true
		listed[[2]string{s.IP, s.Source}] = s.K > 0
	}
}
