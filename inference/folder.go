package inference

import (
	"cmp"
	"math"
	"slices"
	"time"

	"repute/delivery"
)

// The folder channel: what share F of the accepted mail goes to the spam
// folder. No log shows it; seeds, Postmaster tiers, SNDS colours and, weakly,
// opens do (METHOD.md, "Folder channel"):
//
//	logit F = c + c_r + f_ir − λ(η − 3)
type folder struct {
	usual     belief
	receivers map[int]*belief
	pairs     map[int]*folderPair
	waiting   []delivery.Signal // of days that have not ended yet, in order
}

// folderPair is the channel's private part, and what it was learnt from.
type folderPair struct {
	b      belief
	n      float64 // seeds and days with a tier, decayed with a half-life of 15 days
	at     float64
	opened float64 // the best share of opened mail, forgetting slowly
}

// FolderConfig holds the folder channel's assumptions.
type FolderConfig struct {
	Level    float64 // c at first
	Coupling float64 // λ: a receiver that defers also folders
	Usual    Part    // c
	Receiver Part    // c_r
	Private  Part    // f_ir
	SpamUse  float64 // what mail in the spam folder is worth, of mail in the inbox
}

func folderDefaults() FolderConfig {
	return FolderConfig{
		Level: -3, Coupling: 0.8, Usual: Part{1, 1e6}, Receiver: Part{1.5, 180}, Private: Part{1.5, 30}, SpamUse: 0.25,
	}
}

// The views of an Estimate.
const (
	ViewSMTP = "smtp" // what the log alone tells
	ViewFull = "full" // with the spam folder
)

// viewAfter is how much evidence of its own the channel must keep of a pair
// for its view to be called full: one seed, half a life ago.
const viewAfter = 0.5

// AddSignals gives the model outside evidence, in any order; each day's is
// taken in when the day ends. Kinds that say nothing of folders, and those not
// verified, change nothing.
func (m *Model) AddSignals(list []delivery.Signal) {
	for _, s := range list {
		if s.Verified && folderKind(s.Kind) && s.IP != "" && s.Receiver != "" {
			m.folder.waiting = append(m.folder.waiting, s)
		}
	}
	slices.SortStableFunc(m.folder.waiting, func(a, b delivery.Signal) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.IP, b.IP), cmp.Compare(a.Receiver, b.Receiver), cmp.Compare(a.Kind, b.Kind))
	})
}

func folderKind(k delivery.SignalKind) bool {
	switch k {
	case delivery.SignalSeed, delivery.SignalGPT, delivery.SignalSNDS, delivery.SignalEngagement:
		return true
	}
	return false
}

// foldersOf takes in the signals up to a day's end. A signal's day is a date:
// whose zone it was counted in is not known.
func (m *Model) foldersOf(day time.Time) {
	end := signalsEnd(day)
	w := m.folder.waiting
	n := 0
	for n < len(w) && w[n].Day < end {
		s := w[n]
		for n++; n < len(w) && w[n].Day == s.Day && w[n].IP == s.IP && w[n].Receiver == s.Receiver && w[n].Kind == s.Kind; n++ {
			s.N, s.K, s.Value = s.N+w[n].N, s.K+w[n].K, min(s.Value, w[n].Value)
		}
		m.measureFolder(&s)
	}
	m.folder.waiting = w[n:]
}

// signalsEnd is the end of the date of a day, Unix seconds.
func signalsEnd(day time.Time) int64 {
	return time.Date(day.Year(), day.Month(), day.Day()+1, 0, 0, 0, 0, time.UTC).Unix()
}

// measureFolder updates the channel by one pair's signal of a day: binomial
// for seeds, normal on logit F for the rest. Pairs that sent nothing yet have
// no score that a folder could change.
func (m *Model) measureFolder(s *delivery.Signal) {
	ip, ok1 := m.ipID[s.IP]
	recv, ok2 := m.recvID[s.Receiver]
	id, ok3 := m.pairID[[2]int{ip, recv}]
	if !ok1 || !ok2 || !ok3 {
		return
	}
	f := m.folderPair(id)
	parts := m.folderParts(recv, f)
	mean, v := m.folderOffset(m.pairs[id], m.now), 0.0
	for _, b := range parts {
		mean, v = mean+b.m, v+b.v
	}
	m1, v1 := f.measure(s, mean, v, m.now)
	for _, b := range parts {
		a := b.v / v
		b.m += a * (m1 - mean)
		b.v = math.Max(minVariance, b.v-a*a*(v-v1))
	}
}

// measure returns the channel's mean and variance after a signal.
func (f *folderPair) measure(s *delivery.Signal, mean, v, now float64) (m1, v1 float64) {
	normal := func(x, variance float64) (float64, float64) {
		gain := v / (v + variance)
		return mean + gain*(x-mean), v * (1 - gain)
	}
	n := 1.0
	switch s.Kind {
	case delivery.SignalSeed:
		if s.N == 0 {
			return mean, v
		}
		n = float64(s.N)
		m1, v1, _ = measure(mean, v, float64(min(s.K, s.N)), n)
	case delivery.SignalGPT:
		m1, v1 = normal([...]float64{2.5, 0.2, -2, -4}[int(clamp(s.Value, 0, 3))], 1.2)
	case delivery.SignalSNDS:
		m1, v1 = normal([...]float64{3, 0, -3.5}[int(clamp(s.Value, 0, 2))], 1.5)
	case delivery.SignalEngagement:
		x, ok := f.closed(s, now)
		if !ok {
			return mean, v
		}
		m1, v1 = normal(x, engagementVariance)
		n = 0.2
	}
	f.n = f.n*math.Exp2(-(now-f.at)/15) + n
	f.at = now
	return m1, v1
}

// Opens say little: people's habits, proxies that open for them. A day counts
// only against the same pair's best, and weighs a fifth of a tier.
const (
	engagementVariance = 6
	engagementLeast    = 50 // messages of a day
)

// closed is logit F as the share of opened mail suggests.
func (f *folderPair) closed(s *delivery.Signal, now float64) (logitF float64, ok bool) {
	if s.N < engagementLeast {
		return 0, false
	}
	share := float64(min(s.K, s.N)) / float64(s.N)
	f.opened = math.Max(share, f.opened*math.Exp2(-(now-f.at)/60))
	if f.opened == 0 {
		return 0, false
	}
	return logit(clamp(1-share/f.opened, 0.02, 0.95)), true
}

func (m *Model) folderPair(id int) *folderPair {
	f, ok := m.folder.pairs[id]
	if !ok {
		f = &folderPair{b: belief{v: m.cfg.Folder.Private.Variance, at: m.now}, at: m.now}
		m.folder.pairs[id] = f
	}
	return f
}

// folderParts are the channel's parts for a pair, moved to now.
func (m *Model) folderParts(recv int, f *folderPair) [3]*belief {
	r, ok := m.folder.receivers[recv]
	if !ok {
		r = &belief{v: m.cfg.Folder.Receiver.Variance, at: m.now}
		m.folder.receivers[recv] = r
	}
	m.folder.usual.forget(m.now, m.cfg.Folder.Usual)
	r.forget(m.now, m.cfg.Folder.Receiver)
	f.b.forget(m.now, m.cfg.Folder.Private)
	return [3]*belief{&m.folder.usual, r, &f.b}
}

// folderOffset is −λ(η − 3).
func (m *Model) folderOffset(p *pair, at float64) float64 {
	eta, _ := m.eta(p, -1, at)
	return -m.cfg.Folder.Coupling * (eta - 3)
}

// full fills in an estimate's full score: the moments of
// R = S·(1 − (1 − SpamUse)·F) over (η, logit F), on the log-odds scale. Where
// the channel has nothing of the pair's own the view stays the SMTP view.
func (m *Model) full(e *Estimate, id int, mean, v, at float64) {
	e.View, e.Full, e.FullLo, e.FullHi = ViewSMTP, e.Score, e.Lo, e.Hi
	f, ok := m.folder.pairs[id]
	if !ok || f.n*math.Exp2(-(at-f.at)/15) < viewAfter {
		return
	}
	c := &m.cfg.Folder
	r := m.folder.receivers[m.pairs[id].recv].moved(at, c.Receiver)
	own := f.b.moved(at, c.Private)
	fm, fs := m.folder.usual.m+r.m+own.m, math.Sqrt(m.folder.usual.v+r.v+own.v)
	s := math.Sqrt(v)
	var first, second, score, share float64
	for a, x := range nodes5 {
		eta := mean + s*x
		for b, z := range nodes5 {
			spam := sigmoid(fm - c.Coupling*(eta-3) + fs*z)
			value := clamp(sigmoid(eta)*(1-(1-c.SpamUse)*spam), 1e-4, 1-1e-4)
			w, l := weights5[a]*weights5[b], logit(value)
			first, second, score, share = first+w*l, second+w*l*l, score+w*value, share+w*spam
		}
	}
	sd := math.Sqrt(math.Max(1e-6, second-first*first))
	e.View = ViewFull
	e.FullLo, e.FullHi = 100*sigmoid(first-z80*sd), lapsed(100*sigmoid(first+z80*sd))
	e.Full = clamp(100*score, e.FullLo, e.FullHi)
	e.Spam = share
}
