//go:build pictures

package page

import (
	"os"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestLarge measures a page given by REPUTE_PAGE: paint, search, sort.
func TestLarge(t *testing.T) {
	p, err := os.ReadFile(os.Getenv("REPUTE_PAGE"))
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, browser(t), p)
	for range 3 {
		if err := chromedp.Do(x.ctx, chromedp.Reload()); err != nil {
			t.Fatal(err)
		}
		if _, err := chromedp.Run(x.ctx, chromedp.Poll[bool](`performance.getEntriesByType("paint").length > 1 && performance.getEntriesByType("navigation")[0].loadEventEnd > 0`)); err != nil {
			t.Fatal(err)
		}
		t.Logf("first paint %.0f ms, load %.0f ms", ask[float64](t, x, `performance.getEntriesByType("paint").find((e) => e.name === "first-contentful-paint").startTime`),
			ask[float64](t, x, `performance.getEntriesByType("navigation")[0].loadEventEnd`))
	}
	t.Logf("search %.0f ms", ask[float64](t, x, `(() => { const t = performance.now(); filter.value = "receiver-1 203.0.104"; filter.dispatchEvent(new Event("input")); document.body.offsetHeight; return performance.now() - t; })()`))
	t.Logf("sort %.0f ms", ask[float64](t, x, `(() => { filter.value = ""; const t = performance.now(); document.querySelectorAll("#ft thead button")[2].click(); document.body.offsetHeight; return performance.now() - t; })()`))
	t.Logf("show all %.0f ms", ask[float64](t, x, `(() => { const t = performance.now(); document.getElementById("more").click(); document.body.offsetHeight; return performance.now() - t; })()`))
	t.Logf("rows %d", ask[int](t, x, `document.querySelectorAll("#ft tbody tr").length`))
	x.quiet(t)
}
