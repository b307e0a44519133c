package ingest

import (
	"context"

	"repute/delivery"
	"repute/internal/store"
)

// overlaps finds outcomes that another stream has told of before: the same
// lines stand in mail.log and in syslog, in a file that someone put together,
// in a copy whose start is cut off. An outcome is known by host, second,
// recipient, status and how long things took. As many are taken for known as
// the other streams have: five alike lines of one second stay five.
type overlaps struct {
	store  *store.Store
	settle func() error               // waits for what is being written
	spans  map[string]map[int32]*span // by host and stream
	stream int32                      // that is being read
	hours  map[hostHour]map[store.Likeness]int
	last   struct { // the span noted last
		host   string
		stream int32
		span   *span
	}
	asked struct { // what others was asked last
		host   string
		stream int32
		hour   int64
		yes    bool
	}
}

// span is from when to when a stream has outcomes, Unix seconds.
type span struct{ from, to int64 }

type hostHour struct {
	host string
	hour int64
}

// hoursKept bounds the memory: lines are nearly in order.
const hoursKept = 24

func newOverlaps(ctx context.Context, s *store.Store) (*overlaps, error) {
	o := &overlaps{store: s, spans: map[string]map[int32]*span{}, hours: map[hostHour]map[store.Likeness]int{}}
	if s == nil {
		return o, nil
	}
	list, err := s.Spans(ctx)
	for _, l := range list {
		*o.span(l.Host, l.Stream) = span{l.From, l.To}
	}
	return o, err
}

func (o *overlaps) span(host string, stream int32) *span {
	if o.last.span != nil && o.last.stream == stream && o.last.host == host {
		return o.last.span
	}
	streams := o.spans[host]
	if streams == nil {
		streams = map[int32]*span{}
		o.spans[host] = streams
	}
	sp := streams[stream]
	if sp == nil {
		sp = &span{from: 1 << 62, to: -1 << 62}
		streams[stream] = sp
	}
	o.last.host, o.last.stream, o.last.span = host, stream, sp
	return sp
}

// note tells that a stream has an outcome.
func (o *overlaps) note(host string, stream int32, at int64) {
	s := o.span(host, stream)
	s.from, s.to = min(s.from, at/1e6), max(s.to, at/1e6)
}

// again tells whether another stream has told of an attempt. kin are streams
// that are known to go on one in another, and tell nothing twice.
func (o *overlaps) again(e *delivery.Event, stream int32, recipient uint64, kin map[int32]bool) (bool, error) {
	if o.store == nil || !o.others(e.Host, stream, hourOf(e.At), kin) {
		return false, nil
	}
	if o.stream != stream {
		o.stream = stream
		clear(o.hours)
	}
	key := hostHour{string(e.Host), hourOf(e.At)}
	known, ok := o.hours[key]
	if !ok {
		if len(o.hours) >= hoursKept {
			clear(o.hours)
		}
		if err := o.settle(); err != nil {
			return false, err
		}
		var err error
		// The question is short, and a run that is stopped stops at its commit.
		if known, err = o.store.Likenesses(context.Background(), valid(e.Host), stream, key.hour); err != nil {
			return false, err
		}
		o.hours[key] = known
	}
	like := store.LikenessOf(e, recipient)
	if known[like] == 0 {
		return false, nil
	}
	known[like]--
	return true, nil
}

// others tells whether another stream has outcomes of the host in an hour. It
// is asked the same for many lines; where streams are read in turn they all
// are kin or change as they are read, so that another stream asks anew.
func (o *overlaps) others(host []byte, stream int32, hour int64, kin map[int32]bool) bool {
	if a := &o.asked; a.stream != stream || a.hour != hour || a.host != string(host) {
		a.host, a.stream, a.hour, a.yes = string(host), stream, hour, false
		for id, s := range o.spans[a.host] {
			a.yes = a.yes || id != stream && !kin[id] && s.from < hour+3600 && s.to >= hour
		}
	}
	return o.asked.yes
}
