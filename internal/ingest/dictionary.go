package ingest

import (
	"bytes"
	"context"
	"net/netip"

	"repute/delivery"
	"repute/internal/sender"
	"repute/internal/store"
	"repute/rules"
)

// dictionary gives ids to what repeats: origins, receivers, domains, replies.
// Ids start at 1 and are never used again.
type dictionary struct {
	rules     *rules.Set
	origins   []store.Origin
	originIDs map[sender.Origin]int32
	receivers []delivery.Receiver
	recvIDs   map[string]int32
	domains   []string
	domainIDs map[string]int32
	templates []store.Template
	tmplIDs   map[string]int32
	// voices are, by receiver, whose replies its own are kept with: its own id
	// where a rule is for it, else 0, which all others share.
	voices []int32
	// routes remembers the receiver of each (relay, domain), and of each
	// domain, for lines that name no relay.
	routes map[string]int32
	homes  map[string]int32
	key    []byte
	masked []byte
	// saved is how many entries of each list the store has.
	saved struct{ origins, receivers, domains, templates int }
}

func newDictionary(ctx context.Context, o *Options) (*dictionary, error) {
	d := &dictionary{
		rules: o.Rules, originIDs: map[sender.Origin]int32{}, recvIDs: map[string]int32{},
		domainIDs: map[string]int32{}, tmplIDs: map[string]int32{}, routes: map[string]int32{}, homes: map[string]int32{},
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
		d.originIDs[o.Origin] = o.ID
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
		d.domains = append(d.domains, n.Name)
		d.domainIDs[n.Name] = n.ID
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

func (d *dictionary) origin(o sender.Origin) int32 {
	id, ok := d.originIDs[o]
	if !ok {
		id = int32(len(d.origins) + 1)
		d.originIDs[o] = id
		d.origins = append(d.origins, store.Origin{ID: id, Origin: o})
	}
	return id
}

func (d *dictionary) domain(name string) int32 {
	id, ok := d.domainIDs[name]
	if !ok {
		id = int32(len(d.domains) + 1)
		d.domainIDs[name] = id
		d.domains = append(d.domains, name)
	}
	return id
}

// receiver tells who judges mail for a domain through a relay. Without a
// relay it is the receiver that the domain's mail went to before.
func (d *dictionary) receiver(relay, domain string) int32 {
	if relay == "" {
		if id, ok := d.homes[domain]; ok {
			return id
		}
	}
	d.key = append(append(append(d.key[:0], relay...), 0), domain...)
	id, ok := d.routes[string(d.key)]
	if !ok {
		r := d.rules.Receiver(relay, domain)
		if id, ok = d.recvIDs[r.ID]; !ok {
			id = d.addReceiver(r)
		}
		d.routes[string(d.key)] = id
	}
	if relay != "" {
		d.homes[domain] = id
	}
	return id
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

func (d *dictionary) receiverOf(id int32) delivery.Receiver { return d.receivers[id-1] }

// template finds the reply among those seen, or classifies it. Accepted mail
// has no template: 0.
func (d *dictionary) template(receiver int32, r *delivery.Reply, status delivery.Status) int32 {
	if status == delivery.Sent || status == delivery.Deliverable {
		return 0
	}
	voice := d.voices[receiver-1]
	d.masked = rules.Normalize(d.masked[:0], r.Text)
	key := d.templateKey(voice, r, d.masked)
	id, ok := d.tmplIDs[string(key)]
	if !ok {
		id = int32(len(d.templates) + 1)
		d.tmplIDs[string(key)] = id
		reply := *r
		reply.Text = bytes.Clone(d.masked)
		d.templates = append(d.templates, store.Template{
			ID: id, Receiver: voice, Reply: reply, Sample: scrub(r.Text), Verdict: d.rules.Classify(d.receivers[receiver-1].ID, *r),
		})
	}
	return id
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

// scrub makes a reply fit to be kept as a sample for all who got the like:
// mail addresses and IP addresses are taken out.
func scrub(text []byte) string {
	var out []byte
	for _, w := range bytes.SplitAfter(text[:min(len(text), 1000)], []byte(" ")) {
		word := bytes.TrimRight(w, " ")
		switch {
		case bytes.IndexByte(word, '@') >= 0:
			out = append(append(out, "<…>"...), w[len(word):]...)
		default:
			out = appendWithoutIPs(out, w)
		}
	}
	return string(bytes.ToValidUTF8(out, []byte("?")))
}

// appendWithoutIPs appends a word with the addresses in it masked.
func appendWithoutIPs(out, w []byte) []byte {
	for i := 0; i < len(w); {
		if !addressByte(w[i]) {
			out = append(out, w[i])
			i++
			continue
		}
		start := i
		for i < len(w) && addressByte(w[i]) {
			i++
		}
		if _, ok := addressIn(w[start:i]); ok {
			out = append(out, "…"...)
		} else {
			out = append(out, w[start:i]...)
		}
	}
	return out
}

// quoted counts the addresses that a refusal names: they are ours, unless
// they are the relay's.
func (b *book) quoted(origin int32, text, relayIP []byte) {
	for i := 0; i < len(text); {
		if !addressByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && addressByte(text[i]) {
			i++
		}
		ip, ok := addressIn(text[start:i])
		if ok && names(text[:start]) && !bytes.Equal(bytes.Trim(text[start:i], ".:"), relayIP) {
			b.quotes[store.Quote{Origin: origin, IP: ip.String()}]++
		}
	}
}

// names tells whether the words before an address say that it is one: it
// stands in brackets or behind "from", "host", "IP". Yahoo's replies end in
// "- 4.16.55.1", which is none.
func names(before []byte) bool {
	if len(before) == 0 {
		return false
	}
	if before[len(before)-1] != ' ' {
		return true
	}
	before = bytes.TrimRight(before, " :")
	word := bytes.ToLower(before[bytes.LastIndexByte(before, ' ')+1:])
	switch string(bytes.Trim(word, "([\"'")) {
	case "from", "ip", "address", "host", "client", "server", "sender", "addr", "ips":
		return true
	}
	return false
}

// addressIn reads an IP address, with a full stop or colon around it.
func addressIn(w []byte) (netip.Addr, bool) {
	w = bytes.Trim(w, ".:")
	if len(w) < 7 || len(w) > 39 || bytes.Count(w, []byte("."))+bytes.Count(w, []byte(":")) < 3 {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(string(w))
	return ip, err == nil
}

func addressByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == ':' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
