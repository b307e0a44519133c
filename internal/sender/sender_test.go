package sender

import (
	"net/netip"
	"testing"
)

func TestResolve(t *testing.T) {
	out2 := Origin{Host: "mx1", Tag: "postfix/out2", Domain: "news.example.com"}
	rules := []Rule{
		{Host: "mx1", Tag: "postfix-a", IP: netip.MustParseAddr("192.0.2.1")},
		{Domain: "ml.example.org", Pool: "lists"},
		{Transport: "remote_ip2", IP: netip.MustParseAddr("192.0.2.2")},
	}
	quotes := []Quote{
		{Origin: out2, IP: netip.MustParseAddr("198.51.100.7"), Count: 2},
		{Origin: Origin{Host: "mx1", Tag: "postfix/out2", Domain: "other.example"}, IP: netip.MustParseAddr("198.51.100.7"), Count: 1},
		{Origin: Origin{Host: "mx1", Tag: "postfix/two"}, IP: netip.MustParseAddr("198.51.100.8"), Count: 9},
		{Origin: Origin{Host: "mx1", Tag: "postfix/two"}, IP: netip.MustParseAddr("198.51.100.9"), Count: 1},
		{Origin: Origin{Host: "mx1", Tag: "postfix/few"}, IP: netip.MustParseAddr("198.51.100.10"), Count: 2},
		{Origin: Origin{Host: "mx5", Tag: "postfix", Domain: "news.example.com"}, IP: netip.MustParseAddr("198.51.100.12"), Count: 5},
		{Origin: Origin{Host: "mx5", Tag: "postfix", Domain: "tx.example.com"}, IP: netip.MustParseAddr("198.51.100.12"), Count: 1},
		{Origin: Origin{Host: "mx9", Tag: "shared", Domain: "ml.example.org"}, IP: netip.MustParseAddr("198.51.100.11"), Count: 9},
	}
	r := New(rules, quotes)
	for _, c := range []struct {
		name string
		o    Origin
		want Source
	}{
		{"the line shows it", Origin{LocalIP: "203.0.113.31", Domain: "ml.example.org"}, Source{Name: "203.0.113.31", How: FromLine}},
		{"loopback is no sending IP", Origin{Host: "h", Tag: "exim", LocalIP: "127.0.0.1"}, Source{Name: "h/exim", How: Unknown}},
		{"configured tag", Origin{Host: "mx1", Tag: "postfix-a"}, Source{Name: "192.0.2.1", How: FromConfig}},
		{"same tag, other host", Origin{Host: "mx2", Tag: "postfix-a"}, Source{Name: "mx2/postfix-a", How: Unknown}},
		{"pool by sender domain", Origin{Host: "mx1", Tag: "postfix", Domain: "ML.example.org"}, Source{Name: "lists", How: FromConfig, Pool: true}},
		{"transport", Origin{Host: "mx4", Tag: "exim", Transport: "remote_ip2"}, Source{Name: "192.0.2.2", How: FromConfig}},
		{"address in the tag", Origin{Host: "mx2", Tag: "postfix-198.51.100.18"}, Source{Name: "198.51.100.18", How: FromTag}},
		{"IPv6 in the tag", Origin{Host: "mx2", Tag: "mta-2001:db8::9/out"}, Source{Name: "2001:db8::9", How: FromTag}},
		{"a version is no address", Origin{Host: "mx2", Tag: "postfix-3.11"}, Source{Name: "mx2/postfix-3.11", How: Unknown}},
		{"learned over two domains", out2, Source{Name: "198.51.100.7", How: FromLearned}},
		{"learned for its own domain", Origin{Host: "mx5", Tag: "postfix", Domain: "news.example.com"}, Source{Name: "198.51.100.12", How: FromLearned}},
		{"one organisation's address is not another's", Origin{Host: "mx5", Tag: "postfix", Domain: "other.example"}, Source{Name: "mx5/postfix", How: Unknown}},
		{"contradicted", Origin{Host: "mx1", Tag: "postfix/two"}, Source{Name: "mx1/postfix/two", How: Unknown}},
		{"quoted too seldom", Origin{Host: "mx1", Tag: "postfix/few"}, Source{Name: "mx1/postfix/few", How: Unknown}},
		{"configured origins don't teach", Origin{Host: "mx9", Tag: "shared"}, Source{Name: "mx9/shared", How: Unknown}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := r.Resolve(c.o); got != c.want {
				t.Errorf("Resolve(%+v) = %+v, want %+v", c.o, got, c.want)
			}
		})
	}
}
