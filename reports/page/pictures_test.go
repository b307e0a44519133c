//go:build pictures

package page

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
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
			if l.name != "desktop" && l.scheme != "light" || l.name == "print" && lang != "en" {
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

// TestFront takes the picture at the top of README.md.
func TestFront(t *testing.T) {
	p, err := os.ReadFile(filepath.Join(os.Getenv("REPUTE_PAGES"), "report-en.html"))
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, browser(t), p, chromedp.EmulateViewport(1180, 1480))
	shot, err := chromedp.Run(x.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	full, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(os.Getenv("REPUTE_PICTURES"), "report.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, paletted(full)); err != nil {
		t.Fatal(err)
	}
}

// paletted takes the 256 most frequent colours: a page of text has few.
func paletted(m image.Image) *image.Paletted {
	count := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(m.At(x, y)).(color.RGBA) }
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int { return count[b] - count[a] })
	var p color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		p = append(p, c)
	}
	nearest := map[color.RGBA]uint8{}
	out := image.NewPaletted(b, p)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := nearest[c]
			if !ok {
				i = uint8(p.Index(c))
				nearest[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
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
