//go:build pictures

package page

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestPictures takes the pictures of docs/pictures: see `make pictures`.
// REPUTE_PAGES holds report-en.html and report-ja.html.
func TestPictures(t *testing.T) {
	ctx := browser(t)
	for _, lang := range []string{"en", "ja"} {
		p, err := os.ReadFile(filepath.Join(os.Getenv("REPUTE_PAGES"), "report-"+lang+".html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range looks() {
			if l.name != "desktop" && (lang != "en" || l.scheme != "light") {
				continue
			}
			x := open(t, ctx, p, l.set()...)
			name := "page-" + lang + "-" + l.name + "-" + l.scheme + ".webp"
			picture, err := chromedp.Run(x.ctx, shot(0.6))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(os.Getenv("REPUTE_PICTURES"), name), picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// shot is the whole page, at a scale.
func shot(scale float64) chromedp.Action[[]byte] {
	return func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		m, err := cdp.Call(ctx, t, page.GetLayoutMetrics, cdp.Empty{})
		if err != nil {
			return nil, err
		}
		yes, quality := true, int64(45)
		r, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{
			Format: page.CaptureScreenshotFormatWebp, Quality: &quality, CaptureBeyondViewport: &yes,
			Clip: &page.Viewport{Width: m.CSSContentSize.Width, Height: m.CSSContentSize.Height, Scale: scale},
		})
		if err != nil {
			return nil, err
		}
		return r.Data, nil
	}
}
