package mapped

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func collect(m *Map, text string) (out []string) {
	for r, err := range m.Read("t", strings.NewReader(text)) {
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s %s ip=%s domain=%s to=%s n=%d k=%d v=%g", r.Source, r.Kind, r.IP, r.SenderDomain, r.Receiver, r.N, r.K, r.Value))
	}
	return out
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ mapping, text, want string }{
		{
			"kind=complaint,source=Yahoo Sender Hub,date=Day,domain=DKIM Domain,receiver:yahoo.com,n=Delivered,k=Spam Complaints",
			"Day,DKIM Domain,Delivered,Spam Complaints\n2025-11-24,News.Example.com,\"12,000\",31\n",
			"Yahoo Sender Hub complaint ip= domain=news.example.com to=yahoo.com n=12000 k=31 v=0",
		},
		{"kind=complaint,date=d,ip=i,receiver:x.example,n=n,k=k", "d,i,n,k\n2025-11-24,192.0.2.1,3,5\n", "t:2: k 5 is more than n 3"},
		{"kind=snds,date=d,ip=i,receiver:outlook.com,value=v", "d,i,v\n2025-11-24,192.0.2.1,Red\n", "table snds ip=192.0.2.1 domain= to=outlook.com n=0 k=0 v=0"},
		{"kind=spam_rate,date=d,domain:example.com,receiver:gmail.com,value=v", "d,v\n2025-11-24,0.12%\n", "table spam_rate ip= domain=example.com to=gmail.com n=0 k=0 v=0.0012"},
	} {
		m, err := Parse(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		if got := collect(m, c.text); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s:\n got %q\nwant %q", c.mapping, got, c.want)
		}
	}
}

func TestKnown(t *testing.T) {
	for _, c := range []struct{ kind, text, want string }{
		{"senderscore", "Date,IP Address,Score\n2025-11-24,192.0.2.1,98\n", "Sender Score sender_score ip=192.0.2.1 domain= to= n=0 k=0 v=98"},
		{"senderscore", "Date,IP Address,Score\n2025-11-24,192.0.2.1,198\n", "t:2: value 198 is not from 0 to 100"},
		{"talos", "ip address,date,sender ip reputation\n192.0.2.1,2025-11-24,Poor\n", "Cisco Talos talos ip=192.0.2.1 domain= to= n=0 k=0 v=0"},
		{"engagement", "date,ip,isp,delivered,unique opens\n2025-11-24,192.0.2.1,gmail.com,1000,210\n", "engagement engagement ip=192.0.2.1 domain= to=gmail.com n=1000 k=210 v=0"},
	} {
		if got := collect(Known(c.kind), c.text); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s:\n got %q\nwant %q", c.kind, got, c.want)
		}
	}
	if Known("other") != nil {
		t.Error("a map for a kind that nobody knows")
	}
}

func TestParseRefuses(t *testing.T) {
	for mapping, want := range map[string]string{
		"date=d":                             "kind is missing",
		"kind=nonsense":                      "is none of: seed, gpt",
		"kind=seed,date=d,ip=i,receiver=r":   "needs date, n, k",
		"kind=gpt,date=d,value=v,receiver=r": "whose figures",
		"kind=gpt,date=d,value=v,ip=i":       "whose view",
		"kind=gpt,dote=d":                    `no field "dote"`,
		"kind=gpt,date":                      "neither field=Column",
		"kind=gpt,date=":                     "nothing after it",
	} {
		if _, err := Parse(mapping); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", mapping, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("kind=complaint,source=x,date=Day,domain=D,receiver:yahoo.com,n=N,k=K", "Day,D,N,K\n2025-11-24,a.example,3,1\n")
	f.Fuzz(func(_ *testing.T, mapping, text string) {
		if m, err := Parse(mapping); err == nil {
			collect(m, text)
		}
	})
}
