package ingest

import (
	"bytes"
	"cmp"
	"context"
	"hash/maphash"
	"unicode/utf8"

	"repute/delivery"
	"repute/internal/sender"
	"repute/internal/store"
	"repute/rules"
)

// dictionary gives ids to what repeats: origins, receivers, domains, replies.
// Ids start at 1 and are never used again. Each list is bounded, since what is
// in a log may be anyone's doing: what comes later shares an entry, others, and
// is counted.
type dictionary struct {
	rules     *rules.Set
	limits    limits
	origins   []store.Origin
	originIDs map[string]int32
	receivers []delivery.Receiver
	recvIDs   map[string]int32
	domains   []string
	domainIDs map[string]int32
	templates []store.Template
	tmplIDs   map[string]int32
	// voices are, by receiver, whose replies its own are kept with: its own id
	// where a rule is for it, else 0, which all others share.
	voices []int32
	// routes remembers the domain and receiver of each (relay, domain's name),
	// by their hash, and homes the receiver of each domain, for lines that name
	// no relay.
	routes  map[uint64]route
	seed    maphash.Seed
	homes   []int32 // by domain id; 0: no relay was named yet
	senders map[string]string
	key     []byte
	masked  []byte
	marked  delivery.Reply // used again
	crowded int64          // times that an entry was shared
	// saved is how many entries of each list the store has.
	saved struct{ origins, receivers, domains, templates int }
}

// route is who judges mail that goes to a domain through a relay.
type route struct{ domain, receiver int32 }

// limits are how many entries the lists may have.
type limits struct{ origins, receivers, domains, templates, routes int }

func defaultLimits() limits {
	return limits{origins: 100_000, receivers: 100_000, domains: 300_000, templates: 50_000, routes: 300_000}
}

// others is the name of what is past a limit. It can't be a domain's.
const others = "(others)"

func newDictionary(ctx context.Context, o *Options) (*dictionary, error) {
	d := &dictionary{
		rules: o.Rules, limits: defaultLimits(), originIDs: map[string]int32{}, recvIDs: map[string]int32{},
		domainIDs: map[string]int32{}, tmplIDs: map[string]int32{}, routes: map[uint64]route{}, seed: maphash.MakeSeed(),
		senders: map[string]string{},
	}
	if o.Store == nil {
		return d, nil
	}
	return d, d.load(ctx, o.Store)
}

func (d *dictionary) load(ctx context.Context, s *store.Store) error {
	var err error
	if d.origins, err = s.Origins(ctx); err != nil {
		return err
	}
	for _, o := range d.origins {
		d.originIDs[string(d.originKey(&o.Origin))] = o.ID
	}
	receivers, err := s.Receivers(ctx)
	if err != nil {
		return err
	}
	for _, r := range receivers {
		d.addReceiver(d.rules.ByID(r.Name))
	}
	domains, err := s.Domains(ctx)
	if err != nil {
		return err
	}
	for _, n := range domains {
		d.addDomain(n.Name)
	}
	if d.templates, err = s.Templates(ctx); err != nil {
		return err
	}
	for i := range d.templates {
		t := &d.templates[i]
		d.tmplIDs[string(d.templateKey(t.Receiver, &t.Reply, t.Reply.Text))] = t.ID
	}
	d.mark()
	return nil
}

func (d *dictionary) mark() {
	d.saved.origins, d.saved.receivers = len(d.origins), len(d.receivers)
	d.saved.domains, d.saved.templates = len(d.domains), len(d.templates)
}

// fill adds the new entries to a batch.
func (d *dictionary) fill(b *store.Batch) {
	b.Origins = d.origins[d.saved.origins:]
	for i := d.saved.receivers; i < len(d.receivers); i++ {
		b.Receivers = append(b.Receivers, store.Named{ID: int32(i + 1), Name: d.receivers[i].ID})
	}
	for i := d.saved.domains; i < len(d.domains); i++ {
		b.Domains = append(b.Domains, store.Named{ID: int32(i + 1), Name: d.domains[i]})
	}
	b.Templates = d.templates[d.saved.templates:]
	d.mark()
}

func (d *dictionary) originKey(o *sender.Origin) []byte {
	k := d.key[:0]
	for _, part := range [...]string{o.Host, o.Tag, o.Transport, o.LocalIP, o.Domain} {
		k = append(append(k, part...), 0)
	}
	d.key = k
	return k
}

// origin finds what a line shows of the sending side, for mail of a sender's
// domain.
func (d *dictionary) origin(e *delivery.Event, domain string) int32 {
	k := d.key[:0]
	for _, part := range [...][]byte{e.Host, e.Tag, e.Transport, e.LocalIP} {
		k = append(append(k, part...), 0)
	}
	d.key = append(append(k, domain...), 0)
	if id, ok := d.originIDs[string(d.key)]; ok {
		return id
	}
	if len(d.origins) >= d.limits.origins && domain != others {
		d.crowded++
		return d.origin(e, others)
	}
	o := sender.Origin{Host: valid(e.Host), Tag: valid(e.Tag), Transport: valid(e.Transport), LocalIP: valid(e.LocalIP), Domain: domain}
	id, ok := d.originIDs[string(d.originKey(&o))]
	if !ok {
		id = int32(len(d.origins) + 1)
		d.originIDs[string(d.key)] = id
		d.origins = append(d.origins, store.Origin{ID: id, Origin: o})
	}
	return id
}

// domain finds a recipient's domain.
func (d *dictionary) domain(name []byte) int32 {
	if id, ok := d.domainIDs[string(name)]; ok {
		return id
	}
	clean := valid(bytes.ToLower(name))
	if id, ok := d.domainIDs[clean]; ok {
		return id
	}
	if len(d.domains) >= d.limits.domains {
		d.crowded++
		if id, ok := d.domainIDs[others]; ok {
			return id
		}
		clean = others
	}
	return d.addDomain(clean)
}

func (d *dictionary) addDomain(name string) int32 {
	id := int32(len(d.domains) + 1)
	d.domainIDs[name] = id
	d.domains = append(d.domains, name)
	d.homes = append(d.homes, 0)
	return id
}

// senderDomain returns the one copy of a sender's domain, lower case.
func (d *dictionary) senderDomain(name []byte) string {
	if s, ok := d.senders[string(name)]; ok {
		return s
	}
	if len(d.senders) >= d.limits.domains {
		clear(d.senders)
	}
	s := valid(bytes.ToLower(name))
	d.senders[s] = s
	return s
}

// route tells a recipient's domain, and who judges mail for it through a
// relay. Without a relay it is the receiver that the domain's mail went to
// before.
func (d *dictionary) route(relay, name []byte) (domain, receiver int32) {
	key := maphash.Bytes(d.seed, relay)*0x9e3779b97f4a7c15 + maphash.Bytes(d.seed, name)
	r, ok := d.routes[key]
	if !ok {
		r.domain = d.domain(name)
		if d.domains[r.domain-1] == others { // counted each time
			return r.domain, d.receiverNamed(d.rules.Receiver(string(relay), string(name)))
		}
		r.receiver = d.receiverNamed(d.rules.Receiver(string(relay), d.domains[r.domain-1]))
		if len(d.routes) >= d.limits.routes { // they can be found again
			clear(d.routes)
		}
		d.routes[key] = r
	}
	if len(relay) == 0 {
		return r.domain, cmp.Or(d.homes[r.domain-1], r.receiver)
	}
	d.homes[r.domain-1] = r.receiver
	return r.domain, r.receiver
}

// home tells who judges mail for a domain where no relay is named.
func (d *dictionary) home(domain int32) int32 {
	if id := d.homes[domain-1]; id != 0 {
		return id
	}
	return d.receiverNamed(d.rules.Receiver("", d.domains[domain-1]))
}

func (d *dictionary) receiverNamed(r delivery.Receiver) int32 {
	if id, ok := d.recvIDs[r.ID]; ok {
		return id
	}
	if len(d.receivers) >= d.limits.receivers && !r.Provider {
		d.crowded++
		r = delivery.Receiver{ID: others, Name: others}
		if id, ok := d.recvIDs[r.ID]; ok {
			return id
		}
	}
	return d.addReceiver(r)
}

func (d *dictionary) addReceiver(r delivery.Receiver) int32 {
	id, voice := int32(len(d.receivers)+1), int32(0)
	if d.rules.Names(r.ID) {
		voice = id
	}
	d.recvIDs[r.ID] = id
	d.receivers = append(d.receivers, r)
	d.voices = append(d.voices, voice)
	return id
}

// template finds the reply among those seen, or classifies it. Accepted mail
// has no template: 0.
func (d *dictionary) template(receiver int32, r *delivery.Reply, status delivery.Status) int32 {
	if status == delivery.Sent || status == delivery.Deliverable {
		return 0
	}
	voice := d.voices[receiver-1]
	d.masked = rules.Normalize(d.masked[:0], r.Text)
	if !utf8.Valid(d.masked) { // as the store will give it back: it is the entry's key
		d.masked = bytes.ToValidUTF8(d.masked, []byte("?"))
	}
	key := d.templateKey(voice, r, d.masked)
	if id, ok := d.tmplIDs[string(key)]; ok {
		return id
	}
	verdict := d.rules.Classify(d.receivers[receiver-1].ID, *r)
	t := store.Template{Receiver: voice, Reply: *r, Sample: scrub(r.Text), Verdict: verdict}
	t.Reply.Text = bytes.Clone(d.masked)
	if len(d.templates) >= d.limits.templates {
		// Replies without end are someone's doing, or a mask is missing: those
		// that mean the same share an entry.
		d.crowded++
		t.Reply.Text, t.Sample = []byte(others+" "+verdict.Rule), others
		key = d.templateKey(voice, r, t.Reply.Text)
		if id, ok := d.tmplIDs[string(key)]; ok {
			return id
		}
	}
	t.ID = int32(len(d.templates) + 1)
	d.tmplIDs[string(key)] = t.ID
	d.templates = append(d.templates, t)
	return t.ID
}

func (d *dictionary) verdict(template int32) delivery.Verdict {
	if template == 0 {
		return delivery.Verdict{}
	}
	return d.templates[template-1].Verdict
}

func (d *dictionary) templateKey(receiver int32, r *delivery.Reply, masked []byte) []byte {
	k := append(d.key[:0], byte(receiver), byte(receiver>>8), byte(receiver>>16),
		byte(r.Code), byte(r.Code>>8), byte(r.Stage), byte(r.Failure),
		r.Enhanced.Class, byte(r.Enhanced.Subject), byte(r.Enhanced.Subject>>8), byte(r.Enhanced.Detail), byte(r.Enhanced.Detail>>8))
	d.key = append(k, masked...)
	return d.key
}
