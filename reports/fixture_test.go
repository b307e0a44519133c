package reports

import (
	"fmt"
	"math"
	"time"

	"repute/delivery"
)

// story is a report with all kinds of findings in it, always the same: one
// private fall, one neighbourhood fall that came back, unknown and borrowed
// pairs. text is put into every field that a log or a receiver fills.
func story(text string) *Findings {
	zone := time.FixedZone("JST", 9*3600)
	from := time.Date(2026, 11, 2, 0, 0, 0, 0, zone)
	f := &Findings{Period: Period{From: from, To: from.AddDate(0, 0, 21)}}
	for d := from; d.Before(f.Period.To); d = d.AddDate(0, 0, 1) {
		f.Period.Days = append(f.Period.Days, d)
	}
	f.Coverage = Coverage{
		Files: []string{"mail.log" + text, "mainlog"}, Formats: []string{"syslog", "exim"}, Lines: 1482907, Events: 1200000, Attempts: 91000, Messages: 89132,
		Irrelevant: 1000, NotUnderstood: 412, FirstOutcomes: 84246, Accepted: 81213, IPs: 3, Receivers: 3,
		UnknownSources: []string{"mx1/postfix" + text},
	}
	receivers := []delivery.Receiver{
		{ID: "outlook", Name: "Outlook.com", Help: "https://sendersupport.olc.protection.outlook.com/pm/", Provider: true},
		{ID: "docomo", Name: "docomo", Provider: true},
		{ID: "gw.example" + text, Name: "gw.example" + text},
	}
	for i, ip := range []string{"198.51.100.7", "198.51.100.8", "mx1/postfix" + text} {
		for j, r := range receivers {
			p := Pair{IP: ip, Receiver: r, Network: "198.51.100.0/24", Score: float64(96 - 3*i - j), Evidence: 800, Counts: delivery.Counts{Accepted: 700, RejectPolicy: 20}}
			for k, d := range f.Period.Days {
				s := p.Score - 4*math.Abs(math.Sin(float64(k)))
				if i == 0 && j == 0 && k > 14 {
					s = 34
				}
				p.Trend = append(p.Trend, Point{Day: d, Score: s, Lo: s - 5, Hi: min(100, s+4), Mail: true, Unknown: i == 2 && k < 5})
			}
			last := p.Trend[len(p.Trend)-1]
			p.Score, p.Lo, p.Hi, p.Band = last.Score, last.Lo, last.Hi, "good"
			p.Unknown, p.Borrowed, p.Needs = i == 2 && j == 2, i == 1 && j == 2, 24
			p.Week = &Comparison{Before: p.Trend[len(p.Trend)-8].Score, Clear: i == 0 && j == 0}
			p.Reason = delivery.ReputationIP
			f.Pairs = append(f.Pairs, p)
		}
	}
	f.Changes = []Change{
		{Since: from.AddDate(0, 0, 15).Add(14 * time.Hour), IP: "198.51.100.7", Receiver: receivers[0], Cause: "private", Entity: text, Before: 92, After: 34, Drop: 58, Confidence: 0.97},
		{Since: from.AddDate(0, 0, 10), IP: "198.51.100.8", Receiver: receivers[1], Cause: "neighbourhood", Entity: "198.51.100.0/24" + text, Before: 90, After: 63, Drop: 27, Confidence: 0.6},
	}
	f.Pairs[0].Fall = &f.Changes[0]
	f.Pairs[4].Fall, f.Pairs[4].Recovered = &f.Changes[1], true
	f.Pairs[1], f.Pairs[4] = f.Pairs[4], f.Pairs[1] // gravest first
	f.Others = []Change{{Since: from, Receiver: receivers[1], Cause: "outage", Entity: "docomo" + text}}
	f.Quotes = []Quote{{
		IP: "198.51.100.7", Receiver: receivers[0], Count: 412, Code: 550, Reason: delivery.ReputationIP, From: from, To: from.AddDate(0, 0, 20),
		Text: "5.7.1 Unfortunately, messages from […] weren't sent. part of their network is on our block list (S3150)" + text, Link: receivers[0].Help,
	}}
	f.Actions = []Action{{Code: "move", IP: "198.51.100.7", Receiver: receivers[0], Entity: text, Better: "198.51.100.8", Score: 93, Quote: &f.Quotes[0], Link: receivers[0].Help}}
	f.Coverage.Known, f.Coverage.Unknown, f.Coverage.Borrowed = 8, 1, 1
	return f
}

// payloads are what strangers may write into a log.
func payloads() []string {
	p := []string{
		`<script>alert(1)</script>`, `</script><script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg onload=alert(1)>`,
		`javascript:alert(1)`, `<!--`, `-->`, `]]>`, `<style>*{display:none}</style>`, `{{.}}`, `__f__alert(1)__f__`, "\u2028alert(1)", `\u003cscript\u003e`,
		`<iframe src="https://example.org">`, `<link rel=stylesheet href=//example.org/x.css>`, `<base href=//example.org>`, `<meta http-equiv=refresh content=0>`,
		`</title><script>alert(1)</script>`, `</style><script>alert(1)</script>`, `${alert(1)}`, "`+alert(1)+`", `"+alert(1)+"`, `\"+alert(1)//`, `&lt;script&gt;`,
		`<a href="javascript:alert(1)">x</a>`, `<form action=//example.org><input>`, `<object data=x>`, `<embed src=x>`, `<math><mi xlink:href="javascript:alert(1)">`, `<td></table>`,
		"\x1b[2J\x1b]52;c;aGk=\x07", "\x1b]8;;http://example.org\x07x\x1b]8;;\x07", "\u202egpj.exe", "\r overwritten", "\x00", "\x9b31m", "\xff\xfe", "a\nb", "\t=cmd|' /C calc'!A0",
		`=1+1`, `+1`, `-1`, `@SUM(A1)`, `＝1`, strings60(),
	}
	for i := len(p); i < 60; i++ {
		p = append(p, fmt.Sprintf(`<x%d onclick="alert(%d)" style="color:red">&#%d;</x%d>`, i, i, i, i))
	}
	return p
}

func strings60() string { return fmt.Sprintf("%060d", 0) }
