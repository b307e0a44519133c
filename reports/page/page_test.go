package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"repute/delivery"
	"repute/reports"
	"repute/reports/fixture"
	"repute/reports/words"
)

func printed(t *testing.T, f *reports.Findings, lang string) []byte {
	t.Helper()
	w, err := words.For(lang)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := HTML(&b, f, w); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func english(t *testing.T, f *reports.Findings) []byte {
	t.Helper()
	return printed(t, f, "en")
}

// The same findings give the same bytes.
func TestDeterministic(t *testing.T) {
	for _, lang := range words.Languages() {
		if !bytes.Equal(printed(t, fixture.Story(""), lang), printed(t, fixture.Story(""), lang)) {
			t.Errorf("%s: two prints differ", lang)
		}
	}
}

func TestPageSays(t *testing.T) {
	for lang, list := range map[string][]string{
		"en": {
			"Outlook.com slows down or refuses most mail from 198.51.100.7 since Tue 17 Nov: its score fell from 92 to 34",
			", where it still is on Sun 22 Nov", "The map shows the end of Sun 22 Nov", "the arrow the change since the end of Sun 15 Nov",
			"the arrow its change since the end of Sun 15 Nov", "Tick: the end of Sun 15 Nov", "In 7 days", "Gravest fall", "Change: against the seven days before the period",
			"SMTP view only", "needs 24", "part of their network is on our block list", "<sup>b</sup>", "not understood",
			"At Outlook.com, 198.51.100.8 is at 93", "outage", "At Outlook.com, 198.51.100.7 stands apart: 34", "Week 47, 2026",
			"From 198.51.100.7, one mail in ten takes", "One list needs cleaning", "Warm-up of 198.51.100.8, day 14", "SNDS: red",
			"Public scores miss 1 of the low scores", "listed: dnsbl.example", "neighbourhood part", "10 of 12 pairs",
		},
		"ja": {
			"Outlook.comでは11月17日(火)以降、198.51.100.7からのメールの大半が遅延または拒否されています。スコアは92から34へ低下しました",
			"11月22日(日)終了時点でも同じです", "表は11月22日(日)終了時点の値", "矢印は11月15日(日)終了時点からの変化", "7日前比", "最大の低下", "変化は対象期間前の7日間との差",
			"SMTPのみの評価", "あと24通", "未解釈412行", "受信側障害", "Outlook.comでは198.51.100.7だけが離れています", "2026年第47週",
			"要整理のリストが1つ", "198.51.100.8のウォームアップ（14日目）", "SNDS：赤", "初回受理率", "推定不能",
		},
	} {
		p := string(printed(t, fixture.Story(""), lang))
		for _, want := range list {
			if want == "10 of 12 pairs" {
				continue // the script's
			}
			if !strings.Contains(p, want) {
				t.Errorf("%s: the page does not say %q", lang, want)
			}
		}
		if len(p) > 3<<20 {
			t.Errorf("%s: %d bytes", lang, len(p))
		}
		visible := text(t, []byte(p))
		if m := regexp.MustCompile(`\[[a-z]+\.[a-z_.0-9]+\]|\{[a-z]+\}`).FindString(visible); m != "" {
			t.Errorf("%s: %s has no words, or was not filled in", lang, m)
		}
	}
}

// text is what a page shows, without scripts and styles.
func text(t *testing.T, page []byte) string {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" && n.Parent.Data != "style" {
			b.WriteString(n.Data + "\n")
		}
	}
	return b.String()
}

// No English is left on a Japanese page but names, replies and units.
func TestJapaneseOnly(t *testing.T) {
	word := regexp.MustCompile(`[A-Za-z][a-z]{3,}`)
	for line := range strings.Lines(text(t, printed(t, fixture.Story(""), "ja"))) {
		for _, w := range word.FindAllString(line, -1) {
			switch w {
			case "repute", "Outlook", "docomo", "Gmail", "example", "postfix", "news", "invite", "Sender", "Score", "Talos", "Good", "signals", "help", "scores",
				"dnsbl", "Google", "Postmaster", "SMTP", "SNDS":
			default:
				if !strings.Contains(line, "Unfortunately") { // a reply as it was given
					t.Errorf("%q in %q", w, strings.TrimSpace(line))
				}
			}
		}
	}
}

// Compare has what the headline speaks of: its receivers first, its IPs among
// however many others, and pairs that are not known as an interval.
func TestCompareHeadline(t *testing.T) {
	f := &reports.Findings{Period: fixture.Story("").Period}
	receiver := func(i int) delivery.Receiver {
		return delivery.Receiver{ID: fmt.Sprintf("r%d.example", i), Name: fmt.Sprintf("r%d.example", i)}
	}
	// The pair of the headline is the last of many: it rose.
	for i := range compareReceivers + 2 {
		for k := range compareIPs + 2 {
			f.Pairs = append(f.Pairs, reports.Pair{IP: fmt.Sprintf("192.0.2.%d", k+1), Receiver: receiver(i), Score: 90, Lo: 85, Hi: 95})
		}
	}
	last := &f.Pairs[len(f.Pairs)-1]
	last.Unknown, last.Needs = true, 7
	f.Changes = []reports.Change{{IP: last.IP, Receiver: last.Receiver, Cause: "recovery", Before: 20, After: 90, Drop: -70}}
	c := comparePanel(&builder{Findings: f, w: words.English()}).(*compare)
	if n := len(c.Receivers); n != compareReceivers {
		t.Errorf("%d receivers", n)
	}
	first := c.Receivers[0]
	if first.Receiver.ID != last.Receiver.ID || len(first.Pairs) != compareIPs || !slices.Contains(first.Pairs, last) {
		t.Errorf("%s with %d pairs, not those of the headline", first.Receiver.ID, len(first.Pairs))
	}
	if p := string(english(t, f)); !strings.Contains(p, `<line class="wh unk"`) || !strings.Contains(p, `<td class="n few">needs 7</td>`) {
		t.Error("a pair that is not known is left out")
	}
}

// Times to delivery are of accepted mail, as the log has them: the heading
// claims nothing about mail that was refused.
func TestLatencyUsual(t *testing.T) {
	f := fixture.Story("")
	for i := range f.Delays {
		f.Delays[i].Before, f.Delays[i].Nine = 0, 100
	}
	for lang, want := range map[string]string{
		"en": "Of the mail that was accepted, nine in ten arrived within 2 min", "ja": "受理されたメールの9割は2分以内に配送されています",
	} {
		if !strings.Contains(string(printed(t, f, lang)), want) {
			t.Errorf("%s: the page does not say %q", lang, want)
		}
	}
}

// Nothing to show is no panel, not an empty one.
func TestEmptyPanels(t *testing.T) {
	f := fixture.Story("")
	f.Daily, f.Streams, f.Volumes, f.Delays, f.Folders, f.Public, f.Quotes, f.Actions, f.Others = nil, nil, nil, nil, nil, nil, nil, nil, nil
	p := string(english(t, f))
	for _, id := range []string{"reasons", "latency", "evidence", "todo", "others", "public"} {
		if strings.Contains(p, `id="`+id+`"`) {
			t.Errorf("section %s is there without findings", id)
		}
	}
	f.Pairs, f.Changes = nil, nil
	p = string(english(t, f))
	if !strings.Contains(p, "nothing can be said") || strings.Contains(p, `id="heat"`) {
		t.Error("a report without any pair does not say so")
	}
	f = fixture.Story("")
	f.Folders = nil
	for i := range f.Pairs {
		f.Pairs[i].View = nil
	}
	if p := string(english(t, f)); !strings.Contains(p, "All 4 receivers: SMTP view only.") {
		t.Error("a page without signals does not say that it is the SMTP view")
	}
}

// Whatever strangers write, the page has the elements and attributes of a
// clean one, and loads nothing.
func TestHostileText(t *testing.T) {
	clean := fixture.Census(t, english(t, fixture.Story("x")))
	for _, payload := range fixture.Payloads() {
		p := english(t, fixture.Story(payload))
		if got := fixture.Census(t, p); fmt.Sprint(got) != fmt.Sprint(clean) {
			t.Errorf("%q changes the page: %v, want %v", payload, got, clean)
		}
		root, err := html.Parse(bytes.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		for node := range root.Descendants() {
			for _, a := range node.Attr {
				switch {
				case a.Key == "src", strings.HasPrefix(a.Key, "on"), a.Key == "style":
					t.Errorf("%q: attribute %s on %s", payload, a.Key, node.Data)
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://sendersupport"):
					t.Errorf("%q: link to %s", payload, a.Val)
				}
			}
		}
		for _, id := range []string{"charts", "data"} {
			if !json.Valid([]byte(element(root, id))) {
				t.Errorf("%q: the JSON of %s is broken", payload, id)
			}
		}
	}
}

// element is the text of the element with an id.
func element(root *html.Node, id string) string {
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "id" && a.Val == id && n.FirstChild != nil {
				return n.FirstChild.Data
			}
		}
	}
	return ""
}

// The policy names the hashes of what stands there, and nothing else may run.
func TestPolicy(t *testing.T) {
	p := string(english(t, fixture.Story("")))
	for _, want := range []string{"default-src &#39;none&#39;", "script-src &#39;sha256-", "style-src &#39;sha256-"} {
		if !strings.Contains(p, want) && !strings.Contains(p, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(p, "unsafe-inline") || strings.Contains(p, "unsafe-eval") {
		t.Error("the policy is open")
	}
}
