// Package mapped reads any CSV table, once it is told which column is what.
//
// The services of this trade change their exports every few years; the user
// sees the names of the columns before us.
package mapped

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/table"
)

// Map says where in a table each field of a record stands.
type Map struct {
	kind   delivery.SignalKind
	source string
	fixed  map[string]string // fields that are the same in each line
	layout table.Layout
}

// fields are what a map can place.
var fields = []string{"date", "ip", "receiver", "domain", "n", "k", "value", "detail"}

// Parse reads a map as the command line gives it:
//
//	kind=complaint,source=Yahoo Sender Hub,date=Day,domain=Domain,receiver:yahoo.com,n=Delivered,k=Complaints
//
// "field=Column" names a column, "field:text" gives the same text to every
// line. kind and source take text after either.
func Parse(text string) (*Map, error) {
	m := &Map{source: "table", fixed: map[string]string{}}
	for part := range strings.SplitSeq(text, ",") {
		i := strings.IndexAny(part, "=:")
		if i < 0 {
			return nil, fmt.Errorf("map: %q is neither field=Column nor field:text", part)
		}
		field, value := strings.TrimSpace(part[:i]), strings.TrimSpace(part[i+1:])
		switch {
		case value == "":
			return nil, fmt.Errorf("map: %s has nothing after it", field)
		case field == "kind":
			if m.kind = delivery.ParseSignalKind(value); m.kind == delivery.SignalNone {
				return nil, fmt.Errorf("map: kind %q is none of: %s", value, strings.Join(kinds(), ", "))
			}
		case field == "source":
			m.source = value
		case !slices.Contains(fields, field):
			return nil, fmt.Errorf("map: there is no field %q; there are kind, source, %s", field, strings.Join(fields, ", "))
		case part[i] == ':':
			m.fixed[field] = value
		default:
			m.layout.Columns = append(m.layout.Columns, table.Column{Name: field, Also: []string{value}, Needs: true})
		}
	}
	return m, m.check()
}

func kinds() []string {
	var out []string
	for k := delivery.SignalSeed; k.String() != delivery.SignalNone.String(); k++ {
		out = append(out, k.String())
	}
	return out
}

func (m *Map) has(field string) bool {
	_, fixed := m.fixed[field]
	return fixed || slices.ContainsFunc(m.layout.Columns, func(c table.Column) bool { return c.Name == field })
}

func (m *Map) check() error {
	if m.kind == delivery.SignalNone {
		return fmt.Errorf("map: kind is missing; write kind=… with one of: %s", strings.Join(kinds(), ", "))
	}
	need := []string{"date"}
	switch m.kind {
	case delivery.SignalSeed, delivery.SignalEngagement, delivery.SignalDMARC:
		need = append(need, "n", "k")
	case delivery.SignalComplaint, delivery.SignalTrap, delivery.SignalBlockList:
		need = append(need, "k")
	default:
		need = append(need, "value")
	}
	for _, field := range need {
		if !m.has(field) {
			return fmt.Errorf("map: a table of kind %s needs %s", m.kind, strings.Join(need, ", "))
		}
	}
	if !m.has("ip") && !m.has("domain") {
		return fmt.Errorf("map: ip or domain (of the sender) is missing: whose figures are they?")
	}
	if !m.has("receiver") && !public(m.kind) {
		return fmt.Errorf("map: receiver is missing: whose view is it?")
	}
	return nil
}

// public tells whether a kind is everybody's view of an address.
func public(k delivery.SignalKind) bool {
	return k == delivery.SignalSenderScore || k == delivery.SignalTalos || k == delivery.SignalBlockList
}

// Read yields the records of one table; what can't be read yields a
// *table.Error.
func (m *Map) Read(name string, r io.Reader) iter.Seq2[signals.Record, error] {
	return func(yield func(signals.Record, error) bool) {
		for row, err := range table.Read(name, r, m.layout) {
			var rec signals.Record
			if err == nil {
				row.Fix(m.fixed)
				rec = m.record(row)
				err = row.Err()
			}
			if err != nil {
				rec = signals.Record{}
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (m *Map) record(row *table.Row) signals.Record {
	rec := signals.Record{
		Signal: delivery.Signal{
			Day: signals.Day(row.Time("date")), Receiver: row.Text("receiver"), Kind: m.kind,
			N: row.Count("n"), K: row.Count("k"), Verified: true,
		},
		SenderDomain: strings.ToLower(row.Text("domain")),
		Source:       m.source,
		Detail:       row.Text("detail"),
		Key:          signals.Key("mapped", m.kind.String(), m.source, row.Text("date"), row.Text("ip"), row.Text("domain"), row.Text("receiver")),
	}
	if row.Has("ip") {
		rec.IP = row.Addr("ip").String()
	}
	if rec.IP == "" && rec.SenderDomain == "" {
		row.Fail("neither ip nor domain in this line")
	}
	if rec.Receiver == "" && !public(m.kind) {
		row.Fail("receiver is empty")
	}
	if m.has("n") && rec.K > rec.N {
		row.Fail("k %d is more than n %d", rec.K, rec.N)
	}
	if m.has("value") {
		rec.Value = m.value(row)
	}
	return rec
}

// words are what services write in place of numbers.
var words = map[delivery.SignalKind]map[string]float64{
	delivery.SignalSNDS:  {"red": 0, "yellow": 1, "green": 2},
	delivery.SignalGPT:   {"bad": 0, "low": 1, "medium": 2, "high": 3},
	delivery.SignalTalos: {"poor": 0, "untrusted": 0, "questionable": 0, "neutral": 1, "unknown": 1, "good": 2, "favorable": 2, "trusted": 2},
}

func (m *Map) value(row *table.Row) float64 {
	if values, ok := words[m.kind]; ok {
		v, ok := values[strings.ToLower(row.Text("value"))]
		if !ok {
			row.Fail("value %q is not a word that kind %s knows", row.Text("value"), m.kind)
		}
		return v
	}
	if m.kind == delivery.SignalSpamRate || m.kind == delivery.SignalErrorRate {
		return row.Share("value")
	}
	v := row.Number("value")
	if m.kind == delivery.SignalSenderScore && (v < 0 || v > 100) {
		row.Fail("value %v is not from 0 to 100", v)
	}
	return v
}

// The maps of tables whose columns are known.
const (
	// The export of Validity's senderscore.org.
	senderScore = "kind=sender_score,source=Sender Score,ip=IP Address,date=Date,value=Sender Score"
	// A table of what talosintelligence.com's page shows.
	talos = "kind=talos,source=Cisco Talos,ip=IP Address,date=Date,value=Reputation"
	// A table of opens and clicks.
	engagement = "kind=engagement,source=engagement,date=date,ip=ip,receiver=receiver,n=delivered,k=engaged"
)

// Known returns the map of a kind of table whose columns are known:
// "senderscore", "talos", "engagement"; nil for others.
func Known(kind string) *Map {
	text, ok := map[string]string{"senderscore": senderScore, "talos": talos, "engagement": engagement}[kind]
	if !ok {
		return nil
	}
	m, err := Parse(text)
	if err != nil {
		panic(err) // a fault of the lines above
	}
	for i := range m.layout.Columns {
		c := &m.layout.Columns[i]
		c.Also = append(c.Also, also[kind+" "+c.Name]...)
	}
	return m
}

// also are further names of those tables' columns.
var also = map[string][]string{
	"senderscore value":   {"score", "senderscore"},
	"talos value":         {"email reputation", "sender ip reputation", "web reputation"},
	"engagement k":        {"opens", "opened", "clicks", "clicked", "unique opens"},
	"engagement n":        {"sent", "delivered count"},
	"engagement receiver": {"isp", "provider", "mailbox provider"},
	"engagement ip":       {"ip address", "sending ip"},
}
