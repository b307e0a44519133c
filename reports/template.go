package reports

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"repute/delivery"
	"repute/reports/words"
)

// Functions are what the templates of page and mail call. html/template
// escapes whatever they return.
func Functions(w *words.Words) template.FuncMap {
	return template.FuncMap{
		"say": w.Say, "count": w.Count,
		"thousands": w.Number,
		"percent":   w.Percent, "decimal": w.Decimal, "list": w.List,
		"day": w.Day, "moment": w.Moment,
		"cause":  func(c string) string { return CauseWord(w, c) },
		"reason": func(r delivery.Reason) string { return ReasonWord(w, r) },
		"number": Number,
		"shade":  func(x float64) string { return fmt.Sprintf("q%d", min(max(int(x/5), 0), 20)) },
		"delta":  func(p *Pair) string { return p.Delta() },
		"head":   func(a *Action) string { h, _ := a.Words(w); return h },
		"text":   func(a *Action) string { _, t := a.Words(w); return t },
		"bar":    func(lo, hi float64) Bar { return Bar{lo, max(hi-lo, 2)} },
		// A narrow head breaks behind a dot or a slash, not inside a word.
		"soft": func(s string) string { return strings.NewReplacer(".", ".\u200b", "/", "/\u200b").Replace(s) },
		"year": func(t time.Time) string { return fmt.Sprint(t.Year()) },
	}
}

// Bar is a bar on a scale of 100.
type Bar struct{ X, Width float64 }
