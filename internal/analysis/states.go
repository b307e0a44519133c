package analysis

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"repute/delivery"
	"repute/inference"
	"repute/internal/store"
)

// States of the model are kept for the Mondays of the last stateDays, so that
// a report with its weeks of history begins there. A database with less
// evidence than worthStates is quick without.
const stateDays, worthStates = 70, 120 * 24 * time.Hour

// states are the model's states that the store keeps, and those to be kept.
// Each stands on all that it was made from: evidence, which sending IP an
// origin stands for, signals. What changed does not fit, and is dropped.
type states struct {
	*Analysis
	layout      string
	marks       []store.HourMark
	signals     []delivery.Signal
	last        time.Time // start of the last day with evidence
	stored, add []store.State
}

// states looks at what is kept; nil where keeping is not worth it, or where a
// follower has added to the dictionaries since they were loaded.
func (a *Analysis) states(ctx context.Context, signals []delivery.Signal, origins, receivers map[int32]int64) (*states, error) {
	if a.store.Path() == store.Memory {
		return nil, nil
	}
	from, last, err := a.Span(ctx)
	if err != nil || last.Sub(from) < worthStates {
		return nil, err
	}
	for id := range origins {
		if !a.knows(id, 1, 0) {
			return nil, nil
		}
	}
	for id := range receivers {
		if !a.knows(1, id, 0) {
			return nil, nil
		}
	}
	s := &states{Analysis: a, layout: a.model.Layout(), signals: signals, last: last}
	if s.marks, err = a.store.HourMarks(ctx); err != nil {
		return nil, err
	}
	s.stored, err = a.store.States(ctx)
	return s, err
}

// basis tells what a state was made from.
type basis struct {
	recent             uint64 // all of the last basisDays before it, and the names
	first              int64  // the first hour with evidence
	older              uint64 // what was before the recent
	origins, receivers int    // how many there were
}

// basisDays is how far back old evidence may be pruned without a state being
// the worse for it.
const basisDays = 180

// basis is that of a model when the days before next have ended, with so many
// origins and receivers.
func (s *states) basis(next time.Time, origins, receivers int) basis {
	b := basis{origins: origins, receivers: receivers}
	older, recent := fnv.New64a(), fnv.New64a()
	for i, m := range s.marks {
		if i == 0 {
			b.first = m.Hour
		}
		switch {
		case m.Hour >= next.Unix():
		case m.Hour < next.AddDate(0, 0, -basisDays).Unix():
			number(older, m.Hour, m.Mark, m.N)
		default:
			number(recent, m.Hour, m.Mark, m.N)
		}
	}
	for id := range min(origins, len(s.sources)) {
		fmt.Fprintf(recent, "%q %q ", s.sources[id].Name, s.origins[id].Domain)
	}
	for id := range min(receivers, len(s.receivers)) {
		fmt.Fprintf(recent, "%q ", s.receivers[id].ID)
	}
	for _, v := range inference.Taken(s.signals, next) {
		fmt.Fprintf(recent, "%+v ", v)
	}
	b.older, b.recent = older.Sum64(), recent.Sum64()
	return b
}

func (b basis) String() string {
	return fmt.Sprintf("%016x %d %016x %d %d", b.recent, b.first, b.older, b.origins, b.receivers)
}

// now is the basis of a state to be kept.
func (s *states) now(next time.Time) basis { return s.basis(next, len(s.sources), len(s.receivers)) }

func number(h hash.Hash64, list ...int64) {
	var b [8]byte
	for _, x := range list {
		binary.LittleEndian.PutUint64(b[:], uint64(x))
		h.Write(b[:])
	}
}

// begun is a model that is ready to go on.
type begun struct {
	model   *inference.Model
	from    int64           // the hour to go on from, Unix seconds
	origins map[int32]int64 // the first hour of each origin
	kept    *states         // nil where no states are kept
}

// begin returns a model in a state that was kept from before a day, else one
// that must see all evidence.
func (a *Analysis) begin(ctx context.Context, until time.Time) (*begun, error) {
	signals, err := a.folderSignals(ctx)
	if err != nil {
		return nil, err
	}
	g := &begun{model: inference.New(a.model), from: -everything}
	var receivers map[int32]int64
	if g.origins, receivers, err = a.store.FirstHours(ctx); err != nil {
		return nil, err
	}
	if g.kept, err = a.states(ctx, signals, g.origins, receivers); err != nil {
		return nil, err
	}
	if g.kept == nil {
		g.model.AddSignals(signals)
		return g, nil
	}
	next, err := g.kept.resume(ctx, g.model, until)
	switch {
	case errors.Is(err, errSpoilt):
		g.model = inference.New(a.model)
		g.model.AddSignals(signals)
	case err != nil:
		return nil, err
	case next.IsZero():
		g.model.AddSignals(signals)
	default:
		g.from = next.Unix()
	}
	g.kept.collect(g.model)
	return g, nil
}

// end keeps the states that the model passed. Where they can't be kept (the
// disk is full) what was found is none the worse, and the next to begin sees
// all evidence again; a store that is broken says so at its next commit.
func (g *begun) end(ctx context.Context) error {
	if g.kept != nil {
		_ = g.kept.save(ctx)
	}
	return ctx.Err()
}

// fits tells whether a stored state may be gone on from: nothing that it was
// made from has changed, but that the oldest evidence may have been pruned.
func (s *states) fits(v *store.State) bool {
	var was basis
	if n, err := fmt.Sscanf(v.Basis, "%x %d %x %d %d", &was.recent, &was.first, &was.older, &was.origins, &was.receivers); v.Layout != s.layout || n != 5 || err != nil {
		return false
	}
	is := s.basis(s.next(v), was.origins, was.receivers)
	return is.recent == was.recent && (is.first > was.first || is.first == was.first && is.older == was.older)
}

func (s *states) next(v *store.State) time.Time { return time.Unix(v.Next, 0).In(s.model.Zone) }

// resume puts a model into the latest state of the time up to a day, and
// returns the time to go on from; the zero time where there is none.
func (s *states) resume(ctx context.Context, m *inference.Model, until time.Time) (time.Time, error) {
	for i := range s.stored { // the latest first
		v := &s.stored[i]
		if s.next(v).After(until) || !s.fits(v) {
			continue
		}
		packed, err := s.store.StateData(ctx, v)
		if err != nil {
			return time.Time{}, err
		}
		if data, err := unpack(packed); err == nil && m.Restore(data, s.next(v), s.signals) == nil {
			return s.next(v), nil
		}
		return time.Time{}, errSpoilt
	}
	return time.Time{}, nil
}

// errSpoilt tells that a model was half put into a state that can't be read.
var errSpoilt = errors.New("the model's kept state can't be read")

// collect keeps the states of Mondays as the model passes them.
func (s *states) collect(m *inference.Model) {
	m.OnDayEnd(func(next time.Time) {
		if next.Weekday() != time.Monday || next.Before(s.last.AddDate(0, 0, -stateDays)) {
			return
		}
		v := store.State{Next: next.Unix(), Layout: s.layout}
		if !slices.ContainsFunc(s.stored, func(o store.State) bool { return o.Next == v.Next && s.fits(&o) }) {
			v.Data = pack(m.Snapshot())
			s.add = append(s.add, v)
		}
	})
}

// save keeps what was collected and drops what fits no more. Evidence that
// came while the model ran leaves the states from before it as they are.
func (s *states) save(ctx context.Context) error {
	before := s.basisOf(s.add)
	var err error
	if s.marks, err = s.store.HourMarks(ctx); err != nil {
		return err
	}
	var add, drop []store.State
	for i, basis := range s.basisOf(s.add) {
		if s.add[i].Basis = basis; basis == before[i] {
			add = append(add, s.add[i])
		}
	}
	for i := range s.stored {
		if s.next(&s.stored[i]).Before(s.last.AddDate(0, 0, -stateDays)) || !s.fits(&s.stored[i]) {
			drop = append(drop, s.stored[i])
		}
	}
	if len(add)+len(drop) == 0 {
		return nil
	}
	return s.store.PutStates(ctx, add, drop)
}

func (s *states) basisOf(list []store.State) (out []string) {
	for i := range list {
		out = append(out, s.now(s.next(&list[i])).String())
	}
	return out
}

func pack(state []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		panic(err) // the options are constants
	}
	return w.EncodeAll(state, nil)
}

// maxState bounds what a state unpacks to, in bytes.
const maxState = 1 << 30

func unpack(packed []byte) ([]byte, error) {
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxState))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.DecodeAll(packed, nil)
}
