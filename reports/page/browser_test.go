package page

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	cdpnetwork "github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"repute/reports/fixture"
	"repute/reports/words"
)

// browser starts Chromium, cut off from any network.
func browser(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed (Debian package chromium)")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true)))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is a page in a browser's tab, and what it did.
type tab struct {
	ctx      context.Context
	mu       sync.Mutex
	console  []string
	requests []string
}

func (x *tab) heard(ev any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch ev := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		x.console = append(x.console, fmt.Sprint(ev.Type))
	case *runtime.EventExceptionThrown:
		x.console = append(x.console, fmt.Sprintf("%+v", ev.ExceptionDetails))
	case *cdplog.EventEntryAdded:
		x.console = append(x.console, ev.Entry.Text)
	case *cdpnetwork.EventRequestWillBeSent:
		if !strings.HasPrefix(ev.Request.URL, "file://") && !strings.HasPrefix(ev.Request.URL, "data:") {
			x.requests = append(x.requests, ev.Request.URL)
		}
	}
}

// open shows a page in a tab of its own.
func open(t *testing.T, ctx context.Context, page []byte, set ...chromedp.Action[chromedp.Void]) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	tabCtx, cancel := chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	x := &tab{ctx: tabCtx}
	if err := chromedp.Listen(tabCtx, x.heard); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tabCtx, append(set, chromedp.Navigate("file://"+file))...); err != nil {
		t.Fatal(err)
	}
	return x
}

// ask evaluates an expression in the page.
func ask[T any](t *testing.T, x *tab, expression string, opts ...chromedp.EvaluateOption) T {
	t.Helper()
	v, err := chromedp.Run(x.ctx, chromedp.Evaluate[T](expression, opts...))
	if err != nil {
		t.Fatalf("%v\n%.300s", err, expression)
	}
	return v
}

func (x *tab) quiet(t *testing.T) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.console) > 0 {
		t.Errorf("the console says %q", x.console)
	}
	if len(x.requests) > 0 {
		t.Errorf("the page asked for %q", x.requests)
	}
}

// look is a way to look at the page.
type look struct {
	name          string
	width, height int64
	media, scheme string
}

func looks() (list []look) {
	for _, scheme := range []string{"light", "dark"} {
		list = append(list, look{"desktop", 1280, 900, "screen", scheme}, look{"phone", 390, 844, "screen", scheme}, look{"print", 718, 1000, "print", scheme})
	}
	return list
}

func (l look) set() []chromedp.Action[chromedp.Void] {
	return []chromedp.Action[chromedp.Void]{
		chromedp.EmulateViewport(l.width, l.height),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Media: l.media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: l.scheme}},
			})
			return err
		}),
	}
}

// What of a canvas has ink; and what sticks out of the page's width, but for
// what scrolls by itself.
const (
	inked = `Array.from(document.querySelectorAll(".chart canvas")).filter((c) => {
		const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
		for (let i = 3; i < d.length; i += 4) if (d[i] > 0) return true;
		return false;
	}).length`
	sticksOut = `(() => {
		const width = document.documentElement.clientWidth, out = [];
		if (document.documentElement.scrollWidth > width + 1) out.push("page " + document.documentElement.scrollWidth + " of " + width);
		for (const e of document.querySelectorAll("main *")) {
			if (e.closest(matchMedia("print").matches ? ".vh, svg, .off" : ".scroll, .tabs, .vh, svg, .off")) continue;
			const r = e.getBoundingClientRect();
			if (r.width > 0 && r.right > width + 1) out.push(e.tagName + "." + e.className + " " + r.right + ": " + e.textContent.slice(0, 40));
		}
		return out;
	})()`
)

// The page draws its charts, says nothing on the console, asks the net for
// nothing and stays within its width: in each language, light and dark, on a
// desk, a phone and paper.
func TestBrowser(t *testing.T) {
	ctx := browser(t)
	for _, lang := range words.Languages() {
		p := printed(t, fixture.Story(`<img src="http://192.0.2.1/x.png" onerror="console.error('ran')">`), lang)
		charts := bytes.Count(p, []byte(`class="chart`))
		for _, l := range looks() {
			t.Run(lang+" "+l.name+" "+l.scheme, func(t *testing.T) {
				x := open(t, ctx, p, l.set()...)
				if n := ask[int](t, x, inked); n != charts || charts < 4 {
					t.Errorf("%d charts drawn, want %d", n, charts)
				}
				if out := ask[[]string](t, x, sticksOut); len(out) > 0 {
					t.Errorf("out of the page's width: %q", out)
				}
				if l.media == "print" {
					if pdf, err := chromedp.Run(x.ctx, chromedp.PrintToPDF()); err != nil || len(pdf) < 10000 {
						t.Errorf("%d bytes of PDF: %v", len(pdf), err)
					}
				}
				x.quiet(t)
			})
		}
	}
}

// Addresses and short names stand on one line: at a desk in the table of all
// pairs, on a phone where the time to delivery is.
func TestUnbroken(t *testing.T) {
	ctx := browser(t)
	lines := `Array.from(document.querySelectorAll("%s")).filter((c) => {
		const r = document.createRange();
		r.selectNodeContents(c);
		return c.offsetWidth > 0 && c.textContent.length < 16 && !/[ -]/.test(c.textContent) && r.getClientRects().length > 1;
	}).map((c) => c.textContent)`
	for _, lang := range words.Languages() {
		p := printed(t, fixture.Story(""), lang)
		for look, where := range map[look]string{
			{"desktop", 1180, 900, "screen", "light"}: "#ft td:nth-child(-n+2)",
			{"phone", 390, 844, "screen", "light"}:    ".late tbody th",
		} {
			x := open(t, ctx, p, look.set()...)
			if n := ask[int](t, x, fmt.Sprintf(`document.querySelectorAll(%q).length`, where)); n < 3 {
				t.Fatalf("%s %s: %d cells", lang, look.name, n)
			}
			if broken := ask[[]string](t, x, fmt.Sprintf(lines, where)); len(broken) > 0 {
				t.Errorf("%s %s: broken over two lines: %q", lang, look.name, broken)
			}
		}
	}
}

// Sorting, filtering, comparing, the tooltip and the download.
func TestDriven(t *testing.T) {
	ctx := browser(t)
	for _, lang := range words.Languages() {
		t.Run(lang, func(t *testing.T) {
			x := open(t, ctx, printed(t, fixture.Story("=1+1"), lang))
			first := func(column int) string {
				return ask[string](t, x, fmt.Sprintf(`document.querySelector("#ft tbody tr").cells[%d].textContent`, column))
			}
			rows := func() int { return ask[int](t, x, `document.querySelectorAll("#ft tbody tr").length`) }
			cells := `JSON.stringify(Array.from(document.querySelectorAll("#ft tbody td")).map((c) => c.className + ":" + c.textContent.replace(/\s/g, "")))`
			static := ask[string](t, x, cells)
			ask[chromedp.Void](t, x, `document.querySelectorAll("#ft thead button")[2].click()`)
			if s, best := first(2), ask[int](t, x, `Math.round(Math.max(...data.rows.filter((r) => !(r[5] & UNKNOWN)).map((r) => r[2])))`); s != fmt.Sprint(best) {
				t.Errorf("sorted by score, the first has %q of %d", s, best)
			}
			ask[chromedp.Void](t, x, `document.querySelectorAll("#ft thead button")[2].click()`)
			if s := first(2); s != "?" {
				t.Errorf("sorted the other way, the first has %q", s)
			}
			if s := ask[string](t, x, `document.querySelectorAll("#ft th")[2].getAttribute("aria-sort")`); s != "ascending" {
				t.Errorf("aria-sort is %q", s)
			}
			ask[chromedp.Void](t, x, `filter.value = "DOCOMO 198.51"; filter.dispatchEvent(new Event("input"))`)
			if n := rows(); n != 2 || !strings.Contains(first(1), "docomo") {
				t.Errorf("%d rows are left, first %q", n, first(1))
			}
			if s := ask[string](t, x, `document.getElementById("count").textContent`); !strings.Contains(s, "2") || !strings.Contains(s, "12") {
				t.Errorf("the count says %q", s)
			}
			ask[chromedp.Void](t, x, `filter.value = ""; filter.dispatchEvent(new Event("input"))`)
			if rows() != 12 {
				t.Errorf("%d rows without a filter", rows())
			}
			// What the script makes of the data is what the template printed.
			again := ask[string](t, x, `document.querySelector("#ft tbody").replaceChildren(...data.rows.map(rowElement)); `+cells)
			if again != static {
				t.Errorf("the script's rows differ from the template's:\n%s\n%s", again, static)
			}
			ask[chromedp.Void](t, x, `document.querySelectorAll("[data-tab]")[1].click()`)
			if n := ask[int](t, x, `Array.from(document.querySelectorAll(".tab")).filter((e) => e.offsetHeight > 0).length`); n != 1 {
				t.Errorf("%d receivers are compared at once", n)
			}
			tip := ask[string](t, x, `echarts.getInstanceByDom(document.querySelector(".chart")).dispatchAction({type: "showTip", seriesIndex: 0, dataIndex: 50}),
				tip([{seriesName: "low", value: 29, axisValueLabel: "17"}, {seriesName: "width", value: 9}, {seriesName: "score", value: 34}])`)
			if tip != "17: 34 (29–38)" {
				t.Errorf("the tooltip says %q", tip)
			}
			table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(ask[string](t, x, `csv(data.rows.map((_, i) => i))`), "\ufeff"))).ReadAll()
			if err != nil || len(table) != 13 || table[0][0] != "ip" || table[1][2] == "" {
				t.Errorf("CSV of %d lines: %v", len(table), err)
			}
			if s := ask[string](t, x, `csvCell("=1+1") + csvCell("a\"b") + csvCell(-3)`); s != `"'=1+1""a""b"-3` {
				t.Errorf("cells %s", s)
			}
			x.quiet(t)
		})
	}
}

// TestPayloads: 60 payloads in every field that a stranger fills, six at a
// time; none runs, none loads. `make torture` has them one by one.
func TestPayloads(t *testing.T) {
	var some []string
	for six := range slices.Chunk(fixture.Payloads(), 6) {
		some = append(some, strings.Join(six, " "))
	}
	harmless(t, some)
}

// harmless opens a page for each payload. A script that ran would say so on
// the console or leave a mark.
func harmless(t *testing.T, payloads []string) {
	t.Helper()
	ctx := browser(t)
	x := open(t, ctx, english(t, fixture.Story("")))
	file := filepath.Join(t.TempDir(), "hostile.html")
	for i, payload := range payloads {
		armed := strings.ReplaceAll(payload, "alert(1)", "document.title='ran'")
		if err := os.WriteFile(file, english(t, fixture.Story(armed)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(x.ctx, chromedp.Navigate("file://"+file)); err != nil {
			t.Fatal(err)
		}
		if title := ask[string](t, x, `document.title`); !strings.HasPrefix(title, "Sender reputation") {
			t.Errorf("payload %d, %q: the title is %q", i, payload, title)
		}
		if n := ask[int](t, x, `drawn.length`); n < 4 {
			t.Errorf("payload %d, %q: %d charts", i, payload, n)
		}
	}
	x.quiet(t)
}

// The policy alone stops a script, should an escape be forgotten one day.
func TestPolicyStopsScript(t *testing.T) {
	p := bytes.Replace(english(t, fixture.Story("")), []byte(`<main id="main">`),
		[]byte(`<main id="main"><script>document.title='ran'</script><img src="x" onerror="document.title='ran'"><img src="http://192.0.2.1/x.png">`), 1)
	x := open(t, browser(t), p)
	if title := ask[string](t, x, `document.title`); title == "ran" {
		t.Error("a script that was put in ran")
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.console) == 0 {
		t.Error("the console does not tell of a violation: the test sees nothing")
	}
}

// violation is what axe found.
type violation struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	Nodes  []string `json:"nodes"`
}

// TestAccessible: axe-core finds nothing serious, in each language and scheme,
// and on a phone; contrast is one of its rules.
func TestAccessible(t *testing.T) {
	axe, err := os.ReadFile("testdata/axe.min.js")
	if err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	for _, lang := range words.Languages() {
		for _, l := range looks() {
			if l.media == "print" || l.name == "phone" && (lang != "en" || l.scheme != "light") {
				continue
			}
			t.Run(lang+" "+l.name+" "+l.scheme, func(t *testing.T) {
				x := open(t, ctx, printed(t, fixture.Story(""), lang), l.set()...)
				ask[chromedp.Void](t, x, string(axe))
				found := ask[[]violation](t, x, `axe.run(document, {preload: false}).then((r) => r.violations.map((v) => (
					{id: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 5).map((n) => n.html.slice(0, 160) + " " + (n.any[0] || n.all[0] || {message: ""}).message)})))`,
					chromedp.EvalAwaitPromise)
				for _, v := range found {
					t.Logf("%s (%s): %s: %q", v.ID, v.Impact, v.Help, v.Nodes)
				}
				if slices.ContainsFunc(found, func(v violation) bool { return v.Impact == "serious" || v.Impact == "critical" }) {
					t.Error("axe finds serious faults")
				}
				if n := ask[int](t, x, `axe.getRules().length`); n < 50 {
					t.Errorf("only %d rules: the test sees nothing", n)
				}
			})
		}
	}
}
