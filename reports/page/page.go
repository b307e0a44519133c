// Package page prints findings as one HTML page. Each section is a panel: one
// file of code and one template, and a line in panels.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"

	"repute/reports"
	"repute/reports/words"
)

//go:embed assets
var assets embed.FS

// panel is a section of the page.
type panel struct {
	// id is that of the section; assets/panels/<id>.html is its template, and
	// nav.<id> its word among the section links, "" for none.
	id string
	// show returns what the template prints, nil where there is nothing to
	// show.
	show func(*builder) any
}

// panels are the sections in the page's order.
func panels() []panel {
	return []panel{
		{"heat", heatPanel},
		{"trend", trendPanel},
		{"compare", comparePanel},
		{"network", networkPanel},
		{"reasons", reasonsPanel},
		{"latency", latencyPanel},
		{"lists", listsPanel},
		{"evidence", evidencePanel},
		{"todo", todoPanel},
		{"others", othersPanel},
		{"public", publicPanel},
		{"all", tablePanel},
		{"method", methodPanel},
	}
}

// builder is what panels are made from, and where they leave their charts.
type builder struct {
	*reports.Findings
	w      *words.Words
	charts map[string]any // options by the id of the chart's element
	data   map[string]any // what the page's script needs beside
}

// HTML prints the report as one page that loads nothing from anywhere: style,
// script and data are inside, and a Content-Security-Policy by hash lets
// nothing else run.
func HTML(out io.Writer, f *reports.Findings, w *words.Words) error {
	b := &builder{Findings: f, w: w, charts: map[string]any{}, data: map[string]any{}}
	t, err := template.New("page.html").Funcs(reports.Functions(w)).Funcs(functions(w)).ParseFS(assets, "assets/page.html", "assets/panels/*.html")
	if err != nil {
		return err
	}
	v := &view{Findings: f, Lang: w.Lang, Name: f.Period.Name(w), Lead: reports.Lead(f, w), Accepted: newAccepted(f), Seen: len(f.Seen())}
	for _, p := range panels() {
		data := p.show(b)
		if data == nil {
			continue
		}
		var section bytes.Buffer
		if err := t.ExecuteTemplate(&section, p.id+".html", data); err != nil {
			return err
		}
		one := part{ID: p.id, HTML: template.HTML(section.String())}
		if w.Has("nav." + p.id) {
			one.Nav = w.Say("nav." + p.id)
		}
		v.Sections = append(v.Sections, one)
	}
	if err := v.script(b); err != nil {
		return err
	}
	var page bytes.Buffer // a page is whole or not there
	if err := t.Execute(&page, v); err != nil {
		return err
	}
	_, err = page.WriteTo(out)
	return err
}

// view is what the page's frame prints.
type view struct {
	*reports.Findings
	Lang, Name string
	Lead       []string
	Accepted   accepted
	Seen       int // receivers with signals about the spam folder
	Sections   []part

	CSP             string
	Style           template.CSS
	Library, Script template.JS
	Charts, Data    template.JS // JSON with <, > and & escaped
}

type part struct {
	ID, Nav string        // Nav: the word among the section links, "" for none
	HTML    template.HTML // printed by the section's own template
}

// script fills in what runs in the page, and the policy that lets it.
func (v *view) script(b *builder) error {
	style, script, library := asset("page.css"), asset("page.js"), asset("echarts.min.js")
	v.Style, v.Library, v.Script = template.CSS(style), template.JS(library), template.JS(script)
	v.CSP = fmt.Sprintf("default-src 'none'; style-src %s; script-src %s %s; img-src data:; base-uri 'none'; form-action 'none'",
		hash(style), hash(library), hash(script))
	charts, err := json.Marshal(b.charts) // encoding/json escapes <, > and &
	if err != nil {
		return err
	}
	data, err := json.Marshal(b.data)
	v.Charts, v.Data = template.JS(charts), template.JS(data)
	return err
}

func asset(name string) string {
	b, err := assets.ReadFile("assets/" + name)
	if err != nil {
		panic(err) // the binary lacks a file it was built with
	}
	return string(b)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// accepted is the share accepted at the first try, beside the week before.
type accepted struct {
	Compared bool
	Points   float64 // against the seven days before, in per cent
}

func newAccepted(f *reports.Findings) accepted {
	c := &f.Coverage
	if c.FirstBefore < 30 || c.FirstOutcomes == 0 {
		return accepted{}
	}
	return accepted{true, 100*float64(c.Accepted)/float64(c.FirstOutcomes) - 100*float64(c.AcceptedBefore)/float64(c.FirstBefore)}
}

func functions(w *words.Words) template.FuncMap {
	return template.FuncMap{
		"duration": func(seconds float64) string { return duration(w, seconds) },
		"points":   func(x float64) string { return points(w, x) },
		"abs": func(x float64) float64 {
			if x < 0 {
				return -x
			}
			return x
		},
	}
}

// points prints a difference with its sign: "−24", "0", "+2".
func points(w *words.Words, x float64) string {
	switch s := reports.Number(x); {
	case s == "0" || s == "-0":
		return "0"
	case strings.HasPrefix(s, "-"):
		return "−" + s[1:]
	default:
		return "+" + s
	}
}

// slug makes a receiver's id fit for an element's id.
func slug(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(s))
}
