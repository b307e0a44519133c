package postmaster

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func collect(domain, text string) (out []string) {
	for r, err := range Read("t", domain, strings.NewReader(text)) {
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s ip=%s domain=%s day=%d v=%g", r.Kind, r.IP, r.SenderDomain, r.Day, r.Value))
	}
	return out
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, domain, text string
		want               []string
	}{
		{
			"version 2", "",
			`{"domainStats":[
			 {"name":"domains/example.com/domainStats/spam_rate","metric":"spam_rate","date":{"year":2025,"month":11,"day":24},"value":{"doubleValue":0.0031}},
			 {"name":"domains/example.com/domainStats/x","metric":"TLS_ENCRYPTION_RATE","date":{"year":2025,"month":11,"day":24},"value":{"doubleValue":1}},
			 {"name":"domains/example.com/domainStats/y","metric":"deliveryErrorRate","date":{"year":2025,"month":11,"day":24},"value":{"floatValue":0.25}},
			 {"name":"domains/example.com/domainStats/z","metric":"spam_rate","date":{"year":2025,"month":11,"day":25},"value":{"doubleValue":7}}]}`,
			[]string{
				`t: object 1: "domains/example.com/domainStats/z": the value is not a share from 0 to 1`,
				"spam_rate ip= domain=example.com day=1763942400 v=0.0031",
				"error_rate ip= domain=example.com day=1763942400 v=0.25",
			},
		},
		{
			"version 1, a list and a single day", "",
			`{"trafficStats":[{"name":"domains/example.com/trafficStats/20251124","userReportedSpamRatio":0.001,
			 "ipReputations":[{"reputation":"BAD","ipCount":"1","sampleIps":["192.0.2.11"]},{"reputation":"HIGH","sampleIps":["192.0.2.12","2001:db8::1"]}],
			 "deliveryErrors":[{"errorClass":"TEMPORARY_ERROR","errorRatio":0.1},{"errorRatio":0.05}]}]}
			 {"name":"domains/example.com/trafficStats/20251125","ipReputations":[{"reputation":"LOW","sampleIps":["192.0.2.11"]}]}`,
			[]string{
				"spam_rate ip= domain=example.com day=1763942400 v=0.001", "error_rate ip= domain=example.com day=1763942400 v=0.15000000000000002",
				"gpt ip=192.0.2.11 domain= day=1763942400 v=0", "gpt ip=192.0.2.12 domain= day=1763942400 v=3", "gpt ip=2001:db8::1 domain= day=1763942400 v=3",
				"gpt ip=192.0.2.11 domain= day=1764028800 v=1",
			},
		},
		{"table", "example.com", "Date,User-reported spam rate\n11/24/2025,0.3%\n", []string{"spam_rate ip= domain=example.com day=1763942400 v=0.003"}},
		{"table of nobody", "", "Date,Spam rate\n2025-11-24,0.3%\n", []string{"t:2: whose figures are these? The table has no domain column; name it with --domain"}},
		{"tiers", "", "date,ip,ip reputation\n2025-11-24,192.0.2.1,Medium\n", []string{"gpt ip=192.0.2.1 domain= day=1763942400 v=2"}},
		{"nothing", "", `{"a":1}`, []string{"t: no domainStats (API version 2) and no trafficStats (version 1) in it"}},
		{"cut", "", `{"domainStats":[`, []string{"t: object 1: unexpected EOF"}},
	} {
		if got := collect(c.domain, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"postmaster-v2.json", "postmaster.csv"} {
		sample, err := os.ReadFile("../../../sample-logs/signals/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(sample))
	}
	f.Fuzz(func(t *testing.T, text string) {
		for r, err := range Read("t", "example.com", strings.NewReader(text)) {
			if err == nil && (r.IP == "" && r.SenderDomain == "" || r.Key == "" || r.Value < 0 || r.Value > 3) {
				t.Errorf("impossible record %+v", r)
			}
		}
	})
}
