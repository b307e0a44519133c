// Package postmaster reads what Google Postmaster Tools tells of a sending
// domain: the share of inbox mail that users mark as spam, the share refused,
// and of its first version, which Google has ended, the tier of each address.
//
// It reads the answers of the API, version 2 (domainStats:query) and version 1
// (trafficStats), as JSON, and the tables that the web page exports as CSV.
package postmaster

import (
	"bufio"
	"io"
	"iter"
	"net/netip"
	"strings"
	"time"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/table"
)

// Receiver is whose view the records are.
const Receiver = "gmail.com"

// Read yields the records of one file; what it holds tells its form. domain is
// the sending domain that a CSV table, which does not name it, is about.
func Read(name, domain string, r io.Reader) iter.Seq2[signals.Record, error] {
	return func(yield func(signals.Record, error) bool) {
		in := bufio.NewReader(r)
		start, _ := in.Peek(512)
		if !strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(string(start), "\ufeff"), " \t\r\n"), "{") {
			readTable(name, domain, in, yield)
			return
		}
		readAnswers(name, in, yield)
	}
}

// record is one figure of a domain and day.
func record(kind delivery.SignalKind, domain string, day time.Time, value float64) signals.Record {
	return signals.Record{
		Signal:       delivery.Signal{Day: signals.Day(day), Receiver: Receiver, Kind: kind, Value: value, Verified: true},
		SenderDomain: domain,
		Source:       "Google Postmaster Tools",
		Key:          signals.Key("gpt", kind.String(), domain, day.Format(time.DateOnly)),
	}
}

var layout = table.Layout{Columns: []table.Column{
	{Name: "date", Also: []string{"day"}, Needs: true},
	{Name: "domain"},
	{Name: "spam_rate", Also: []string{"user reported spam rate", "user-reported spam rate", "spam rate (%)", "user reported spam ratio", "spam"}},
	{Name: "error_rate", Also: []string{"delivery errors", "delivery error rate", "error rate", "errors"}},
	{Name: "ip", Also: []string{"ip address"}},
	{Name: "tier", Also: []string{"ip reputation", "reputation"}},
}}

func readTable(name, domain string, r io.Reader, yield func(signals.Record, error) bool) {
	for row, err := range table.Read(name, r, layout) {
		var records []signals.Record
		if err == nil {
			records = line(row, domain)
			err = row.Err()
		}
		if err != nil {
			if !yield(signals.Record{}, err) {
				return
			}
			continue
		}
		for _, rec := range records {
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func line(row *table.Row, domain string) (out []signals.Record) {
	day := row.Time("date")
	if row.Has("domain") {
		domain = strings.ToLower(row.Text("domain"))
	}
	if row.Has("spam_rate") {
		out = append(out, record(delivery.SignalSpamRate, domain, day, row.Share("spam_rate")))
	}
	if row.Has("error_rate") {
		out = append(out, record(delivery.SignalErrorRate, domain, day, row.Share("error_rate")))
	}
	if row.Has("tier") {
		tier, ok := tierOf(row.Text("tier"))
		if !ok {
			row.Fail("tier %q is not bad, low, medium or high", row.Text("tier"))
		}
		out = append(out, tierRecord(row.Addr("ip"), day, tier, row.Text("tier")))
	}
	if len(out) == 0 {
		row.Fail("neither a spam rate, nor an error rate, nor a tier in this line")
	}
	if domain == "" && !row.Has("tier") {
		row.Fail("whose figures are these? The table has no domain column; name it with --domain")
	}
	return out
}

func tierRecord(ip netip.Addr, day time.Time, tier float64, word string) signals.Record {
	rec := record(delivery.SignalGPT, "", day, tier)
	rec.IP, rec.Detail = ip.String(), strings.ToLower(word)
	rec.Key = signals.Key("gpt", "tier", rec.IP, day.Format(time.DateOnly))
	return rec
}

func tierOf(word string) (float64, bool) {
	v, ok := map[string]float64{"bad": 0, "low": 1, "medium": 2, "high": 3}[strings.ToLower(word)]
	return v, ok
}
