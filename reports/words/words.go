// Package words holds what reports say, in the reader's language: one file
// lang/xx.toml for each. A further language is one more file with the same
// keys; no code names a language.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

//go:embed lang/*.toml
var files embed.FS

// Words are all words of one language. They are safe for concurrent use.
type Words struct {
	Lang string // "en"

	texts map[string]text
	form  form
}

// form is how a language writes dates, numbers and lists.
type form struct {
	Months   []string `toml:"months"`
	Weekdays []string `toml:"weekdays"` // Sunday first
	Group    string   `toml:"group"`    // between thousands
	Decimal  string   `toml:"decimal"`
	Comma    string   `toml:"comma"` // between the words of a list
	And      string   `toml:"and"`   // before the last one
	Wide     bool     `toml:"wide"`  // letters two columns wide, no blanks between words
}

// Languages lists what there is, in alphabetical order.
func Languages() []string {
	names, err := fs.Glob(files, "lang/*.toml")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(path.Base(n), ".toml")
	}
	slices.Sort(names)
	return names
}

// For returns the words of a language; the error lists those there are.
func For(lang string) (*Words, error) {
	if !slices.Contains(Languages(), lang) {
		return nil, fmt.Errorf("no words in language %q; there are: %s", lang, strings.Join(Languages(), ", "))
	}
	b, err := files.ReadFile("lang/" + lang + ".toml")
	if err != nil {
		return nil, err
	}
	w := &Words{Lang: lang, texts: map[string]text{}}
	var head struct {
		Form form `toml:"form"`
	}
	var rest map[string]any
	if err := toml.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("lang/%s.toml: %w", lang, err)
	}
	if err := toml.Unmarshal(b, &rest); err != nil {
		return nil, fmt.Errorf("lang/%s.toml: %w", lang, err)
	}
	w.form = head.Form
	delete(rest, "form")
	w.flatten("", rest)
	return w, nil
}

// English returns the words that are always there.
func English() *Words {
	w, err := For("en")
	if err != nil {
		panic(err) // the binary lacks a file it was built with
	}
	return w
}

func (w *Words) flatten(prefix string, tree map[string]any) {
	for key, v := range tree {
		switch v := v.(type) {
		case string:
			w.texts[prefix+key] = parse(v)
		case map[string]any:
			w.flatten(prefix+key+".", v)
		}
	}
}

// Wide tells whether letters are two columns wide and stand without blanks.
func (w *Words) Wide() bool { return w.form.Wide }

// Has tells whether there are words for a key.
func (w *Words) Has(key string) bool {
	_, ok := w.texts[key]
	return ok
}

// Say returns the words for a key with its {names} filled in: args are name,
// value, name, value. Text stands as it is and is never read for names;
// integers are grouped, other numbers rounded, a time is its day.
func (w *Words) Say(key string, args ...any) string {
	t, ok := w.texts[key]
	if !ok {
		return "[" + key + "]" // a test finds these
	}
	var b strings.Builder
	for _, p := range t {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(w.argument(p.name, args))
	}
	return b.String()
}

// Count is Say for a number of things: "key.one" for 1 where the language has
// it, else "key.other"; the number is {n}.
func (w *Words) Count(key string, n any, args ...any) string {
	if integer(n) == 1 && w.Has(key+".one") {
		key += ".one"
	} else {
		key += ".other"
	}
	return w.Say(key, append([]any{"n", integer(n)}, args...)...)
}

func (w *Words) argument(name string, args []any) string {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return w.value(args[i+1])
		}
	}
	return "{" + name + "}"
}

// part is a piece of text, or the name of what stands there.
type part struct{ text, name string }

type text []part

// parse cuts "fell to {n}." at its names.
func parse(s string) (out text) {
	for s != "" {
		before, rest, ok := strings.Cut(s, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			return append(out, part{text: s})
		}
		if before != "" {
			out = append(out, part{text: before})
		}
		out = append(out, part{name: name})
		s = after
	}
	return out
}
