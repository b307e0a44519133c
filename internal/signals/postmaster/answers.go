package postmaster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/table"
)

// maxJSON bounds a file in bytes: a year of a domain's days is below 1 MB.
const maxJSON = 16 << 20

// readAnswers reads one answer after the other: the pages of one, or of
// several days. An answer that can't be read does not stop the rest, as long
// as it is JSON.
func readAnswers(name string, r io.Reader, yield func(signals.Record, error) bool) {
	limited := &io.LimitedReader{R: r, N: maxJSON}
	d := json.NewDecoder(limited)
	found := false
	for n := 1; ; n++ {
		var text json.RawMessage
		err := d.Decode(&text)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if limited.N <= 0 {
				err = fmt.Errorf("more than %d MiB", maxJSON>>20)
			}
			yield(signals.Record{}, fmt.Errorf("%s: object %d: %w", name, n, err))
			return
		}
		records, err := parse(text)
		if err != nil {
			found = true
			if !yield(signals.Record{}, fmt.Errorf("%s: object %d: %w", name, n, err)) {
				return
			}
		}
		for _, rec := range records {
			found = true
			if !yield(rec, nil) {
				return
			}
		}
	}
	if !found {
		yield(signals.Record{}, fmt.Errorf("%s: no domainStats (API version 2) and no trafficStats (version 1) in it", name))
	}
}

// parse reads one answer: a list, or a single day of version 1.
func parse(text []byte) ([]signals.Record, error) {
	var lists struct {
		DomainStats  []domainStat   `json:"domainStats"`
		TrafficStats []trafficStats `json:"trafficStats"`
	}
	if err := json.Unmarshal(text, &lists); err != nil {
		return nil, err
	}
	if lists.DomainStats == nil && lists.TrafficStats == nil {
		var one trafficStats
		if err := json.Unmarshal(text, &one); err != nil || !strings.Contains(one.Name, "/trafficStats/") {
			return nil, err
		}
		lists.TrafficStats = append(lists.TrafficStats, one)
	}
	var out []signals.Record
	var errs []error
	for i := range lists.DomainStats {
		rec, ok, err := lists.DomainStats[i].record()
		if ok {
			out = append(out, rec)
		}
		errs = append(errs, err)
	}
	for i := range lists.TrafficStats {
		records, err := lists.TrafficStats[i].records()
		out, errs = append(out, records...), append(errs, err)
	}
	return out, errors.Join(errs...)
}

// domainStat is one figure of version 2.
type domainStat struct {
	Name   string `json:"name"` // domains/example.com/domainStats/…
	Metric string `json:"metric"`
	Date   struct {
		Year  int `json:"year"`
		Month int `json:"month"`
		Day   int `json:"day"`
	} `json:"date"`
	Value struct {
		Double *float64 `json:"doubleValue"`
		Float  *float64 `json:"floatValue"`
	} `json:"value"`
}

// record returns false for figures that say nothing of reputation: how much
// of the mail was authenticated or encrypted.
func (s *domainStat) record() (signals.Record, bool, error) {
	var kind delivery.SignalKind
	switch metric := table.Plain(s.Metric + " " + last(s.Name)); {
	case strings.Contains(metric, "spamrat"):
		kind = delivery.SignalSpamRate
	case strings.Contains(metric, "deliveryerrorrat"):
		kind = delivery.SignalErrorRate
	default:
		return signals.Record{}, false, nil
	}
	value := s.Value.Double
	if value == nil {
		value = s.Value.Float
	}
	domain := domainOf(s.Name)
	day := time.Date(s.Date.Year, time.Month(s.Date.Month), s.Date.Day, 0, 0, 0, 0, time.UTC)
	switch {
	case value == nil || *value < 0 || *value > 1:
		return signals.Record{}, false, fmt.Errorf("%q: the value is not a share from 0 to 1", s.Name)
	case domain == "":
		return signals.Record{}, false, fmt.Errorf("%q names no domain", s.Name)
	case s.Date.Year < 1990 || s.Date.Year > 2200:
		return signals.Record{}, false, fmt.Errorf("%q: no date", s.Name)
	}
	return record(kind, domain, day, *value), true, nil
}

// trafficStats is one day of version 1.
type trafficStats struct {
	Name   string   `json:"name"` // domains/example.com/trafficStats/20240131
	Spam   *float64 `json:"userReportedSpamRatio"`
	Errors []struct {
		Ratio float64 `json:"errorRatio"`
	} `json:"deliveryErrors"`
	IPs []struct {
		Reputation string   `json:"reputation"`
		Samples    []string `json:"sampleIps"`
	} `json:"ipReputations"`
}

func (s *trafficStats) records() ([]signals.Record, error) {
	domain := domainOf(s.Name)
	day, err := time.Parse("20060102", last(s.Name))
	if err != nil || domain == "" {
		return nil, fmt.Errorf("%q is not like domains/example.com/trafficStats/20240131", s.Name)
	}
	var out []signals.Record
	if s.Spam != nil && *s.Spam >= 0 && *s.Spam <= 1 {
		out = append(out, record(delivery.SignalSpamRate, domain, day, *s.Spam))
	}
	refused := 0.0
	for _, e := range s.Errors {
		refused += max(e.Ratio, 0)
	}
	if refused > 0 {
		out = append(out, record(delivery.SignalErrorRate, domain, day, min(refused, 1)))
	}
	for _, tier := range s.IPs {
		value, ok := tierOf(tier.Reputation)
		if !ok {
			continue // REPUTATION_CATEGORY_UNSPECIFIED
		}
		for _, text := range tier.Samples {
			ip, err := netip.ParseAddr(text)
			if err != nil || ip.Zone() != "" {
				return out, fmt.Errorf("%q: %q is not an IP address", s.Name, text)
			}
			out = append(out, tierRecord(ip.Unmap(), day, value, tier.Reputation))
		}
	}
	return out, nil
}

// domainOf takes example.com out of domains/example.com/….
func domainOf(name string) string {
	rest, ok := strings.CutPrefix(name, "domains/")
	if !ok {
		return ""
	}
	domain, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(domain)
}

func last(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
