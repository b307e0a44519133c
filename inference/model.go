package inference

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"repute/delivery"
)

// Model is the state of the inference: a belief about every part.
type Model struct {
	cfg Config
	now float64 // days since 1970 of the last hour that was closed

	mu        belief
	ips       []group
	nets      []group
	receivers []group
	streams   []group
	families  []group // of streams
	pairs     []*pair
	ipID      map[string]int
	netID     map[string]int
	recvID    map[string]int
	streamID  map[string]int
	familyID  map[string]int
	pairID    map[[2]int]int

	noise  noise // of all receivers
	folder folder

	hour      int64         // the open hour, Unix seconds; 0 before the first evidence
	cells     []observation // of the open block's hours
	block     []observation // the same, added up over the block
	shifted   []shifted     // of the block, for the shared parts
	sums      []tally
	window    []observation // of the last days, for the attribution
	open      []Change      // of the day, without their cause yet
	fell      []found       // shared parts that fell today
	changes   []Change
	unclaimed []int // changes of the day whose cause is not clear yet

	dayEnds []func(next time.Time) // told of each day's end
}

// group is a part that several pairs share: an IP, a neighbourhood, a
// receiver or a stream.
type group struct {
	name   string
	b      belief
	net    int     // of an IP: its neighbourhood, −1 if none
	family int     // of a stream: its family, −1 if none
	grey   float64 // of a receiver: greylistings recognised
	down   bool    // of a receiver or an IP: masked in this hour
	noise  noise   // of a receiver
	users  float64 // of a stream: slow baseline of the unknown users' share
	opened bool    // a shared jump was opened today
}

// pair is one sending IP at one receiver.
type pair struct {
	ip, recv   int
	u          belief
	open, last batch   // of this block of hours, and the one before it
	usual      float64 // slow mean of the first outcomes in an hour with mail
	hours      int     // hours with mail so far
	jump       float64 // largest jump probability of the day
	own        float64 // evidence of its own, decayed with a half-life of 15 days
	ownAt      float64
	seen       bool
	month      [30]uint32 // first outcomes by day, a ring
	monthDay   int64
	ring       [referenceDays]float64 // scores of the last days, newest last
	ringN      int
	alarmed    int64   // day of the last alarm, 0 if none
	before     float64 // the reference at that alarm
	low        bool    // fallen and not yet recovered
}

// observation is one cell of evidence after the ids are interned.
type observation struct {
	hour                int64
	ip, recv, stream, p int
	c                   delivery.Counts
	y, n, sqrs          float64 // Σu, messages and Σu² after masks and weights
}

// New returns a model that has seen nothing.
func New(cfg Config) *Model {
	return &Model{
		cfg: cfg, mu: belief{m: cfg.Level, v: cfg.Mu.Variance},
		ipID: map[string]int{}, netID: map[string]int{}, recvID: map[string]int{}, streamID: map[string]int{}, familyID: map[string]int{},
		pairID: map[[2]int]int{},
		folder: folder{
			usual:     belief{m: cfg.Folder.Level, v: cfg.Folder.Usual.Variance},
			receivers: map[int]*belief{}, pairs: map[int]*folderPair{},
		},
	}
}

func intern(groups *[]group, ids map[string]int, name string, p Part, at float64) int {
	id, ok := ids[name]
	if !ok {
		id = len(*groups)
		ids[name] = id
		*groups = append(*groups, group{name: name, b: belief{v: p.Variance, at: at}, net: -1, family: -1, users: 0.01})
	}
	return id
}

// observe interns an hour's cell.
func (m *Model) observe(e *delivery.Evidence) observation {
	at := days(e.Hour)
	o := observation{hour: e.Hour, c: e.Counts}
	o.ip = intern(&m.ips, m.ipID, e.IP, m.cfg.IP, at)
	if net := m.cfg.Neighbourhood(e.IP); net != "" && m.ips[o.ip].net < 0 {
		m.ips[o.ip].net = intern(&m.nets, m.netID, net, m.cfg.Net, at)
	}
	o.recv = intern(&m.receivers, m.recvID, e.Receiver, m.cfg.Receiver, at)
	o.stream = intern(&m.streams, m.streamID, e.Stream, m.cfg.Stream, at)
	if f := family(e.Stream); f != "" && m.streams[o.stream].family < 0 {
		m.streams[o.stream].family = intern(&m.families, m.familyID, f, m.cfg.Stream, at)
	}
	key := [2]int{o.ip, o.recv}
	id, ok := m.pairID[key]
	if !ok {
		id = len(m.pairs)
		m.pairID[key] = id
		m.pairs = append(m.pairs, &pair{ip: o.ip, recv: o.recv, u: belief{v: m.cfg.Private.Variance, at: at}})
	}
	o.p = id
	return o
}

// blockCells adds up the open block's cells by pair and stream, in the one
// order in which they are measured, whatever order they came in.
func (m *Model) blockCells() {
	slices.SortStableFunc(m.cells, func(a, b observation) int {
		return cmp.Or(cmp.Compare(a.hour, b.hour), m.order(&a, &b))
	})
	m.block = append(m.block[:0], m.cells...)
	slices.SortStableFunc(m.block, func(a, b observation) int { return m.order(&a, &b) })
	kept := m.block[:0]
	for _, o := range m.block {
		if n := len(kept); n > 0 && kept[n-1].p == o.p && kept[n-1].stream == o.stream {
			kept[n-1].c.Add(&o.c)
			continue
		}
		kept = append(kept, o)
	}
	m.block = kept
}

// order is by the names of IP, receiver and stream.
func (m *Model) order(a, b *observation) int {
	return cmp.Or(cmp.Compare(m.ips[a.ip].name, m.ips[b.ip].name),
		cmp.Compare(m.receivers[a.recv].name, m.receivers[b.recv].name),
		cmp.Compare(m.streams[a.stream].name, m.streams[b.stream].name))
}

// blockHours is the length of a block.
const blockHours = 6

// blockStart returns the hour at which an hour's block begins, in the model's
// zone.
func (m *Model) blockStart(hour int64) int64 {
	t := time.Unix(hour, 0).In(m.cfg.Zone)
	return hour - int64(t.Hour()%blockHours)*3600
}

func (m *Model) blockEnd(hour int64) float64 { return days(m.blockStart(hour) + blockHours*3600) }

// days converts Unix seconds to days.
func days(unix int64) float64 { return float64(unix) / 86400 }

// maxParts are those of one cell.
const maxParts = 7

// family names the streams that are of a kind: newsletters of several domains
// go out of one template and through one tracking domain. It is the first
// label of a domain with three and more.
func family(stream string) string {
	label, rest, ok := strings.Cut(stream, ".")
	if !ok || !strings.Contains(rest, ".") {
		return ""
	}
	return label + ".*"
}

// parts returns the beliefs that add up to a pair's log-odds; with a stream
// (≥ 0) its transient part too.
func (m *Model) parts(p *pair, stream int) (list [maxParts]*belief, conf [maxParts]Part, n int) {
	add := func(b *belief, c Part) { list[n], conf[n] = b, c; n++ }
	add(&m.mu, m.cfg.Mu)
	add(&p.u, m.cfg.Private)
	add(&m.ips[p.ip].b, m.cfg.IP)
	if net := m.ips[p.ip].net; net >= 0 {
		add(&m.nets[net].b, m.cfg.Net)
	}
	add(&m.receivers[p.recv].b, m.cfg.Receiver)
	if stream >= 0 {
		add(&m.streams[stream].b, m.cfg.Stream)
		if f := m.streams[stream].family; f >= 0 {
			add(&m.families[f].b, m.cfg.Stream)
		}
	}
	return list, conf, n
}

// eta is the belief about a pair's log-odds at a time: η = Σ parts.
func (m *Model) eta(p *pair, stream int, at float64) (mean, variance float64) {
	list, conf, n := m.parts(p, stream)
	for i := range n {
		b := list[i].moved(at, conf[i])
		mean += b.m
		variance += b.v
	}
	return mean, variance
}
