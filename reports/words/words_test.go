package words

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func language(t *testing.T, lang string) *Words {
	t.Helper()
	w, err := For(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Every language says the same things with the same names filled in.
func TestLanguagesAgree(t *testing.T) {
	en := language(t, "en")
	for _, lang := range Languages() {
		w := language(t, lang)
		if len(w.form.Months) != 12 || len(w.form.Weekdays) != 7 {
			t.Errorf("%s: 12 months and 7 weekdays are wanted", lang)
		}
		for key, text := range en.texts {
			other, ok := w.texts[key]
			if !ok {
				if !strings.HasSuffix(key, ".one") { // a language without a plural
					t.Errorf("%s lacks %s", lang, key)
				}
				continue
			}
			if a, b := names(text), names(other); !slices.Equal(a, b) && !strings.HasPrefix(key, "date.") {
				t.Errorf("%s: %s has %v, in English %v", lang, key, b, a)
			}
		}
		for key := range w.texts {
			if !en.Has(key) {
				t.Errorf("%s: %s is not in English", lang, key)
			}
		}
	}
}

func names(t text) []string {
	seen := map[string]bool{}
	for _, p := range t {
		if p.name != "" {
			seen[p.name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Every key is said somewhere: in a template or by name in the code of the
// printers. Keys that the code puts together are listed.
func TestKeysAreUsed(t *testing.T) {
	var source strings.Builder
	for _, pattern := range []string{"../*.go", "../assets/*", "../page/*.go", "../page/assets/*", "../page/assets/panels/*", "*.go", "../../cmd/repute/*.go", "../../internal/alert/*.go"} {
		list, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range list {
			if strings.HasSuffix(name, "_test.go") || strings.Contains(name, "echarts") {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				continue // a folder
			}
			source.Write(b)
		}
	}
	made := regexp.MustCompile(`^(cause|band|confidence|reason|action|change|because|nav|method|alert\.(silence|coverage|fell|back)_?.*|lead\.steady.*|lists\.(tier|colour|seed|gpt|snds|complaint|engagement|spam_rate|trap|error_rate)|public\.talos_.*|mail\.fell.*)(\.|$)`)
	for key := range language(t, "en").texts {
		base := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if !made.MatchString(key) && !strings.Contains(source.String(), `"`+base+`"`) {
			t.Errorf("%s is said nowhere", key)
		}
	}
}

func TestSay(t *testing.T) {
	en, ja := language(t, "en"), language(t, "ja")
	day := time.Date(2026, 11, 17, 14, 5, 0, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{en.Day(day), "Tue 17 Nov"},
		{ja.Day(day), "11月17日(火)"},
		{ja.Long(day), "2026年11月17日(火)"},
		{ja.Moment(day), "11月17日(火) 14:05"},
		{en.Count("count.pairs", 1), "1 pair"},
		{en.Count("count.pairs", 84246), "84,246 pairs"},
		{ja.Count("count.pairs", 1), "1組"},
		{en.List([]string{"a", "b", "c"}), "a, b and c"},
		{ja.List([]string{"a", "b", "c"}), "a、b、c"},
		{en.Number(-1234567), "-1,234,567"},
		{en.Percent(1, 3), "33.3"},
		{en.Percent(1, 0), "–"},
		// What is filled in is never read for names.
		{en.Say("score.interval", "lo", "{hi}", "hi", 3), "80 % interval {hi} to 3"},
		{en.Say("no.such.key"), "[no.such.key]"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if _, err := For("xx"); err == nil || !strings.Contains(err.Error(), "en, ja") {
		t.Errorf("an unknown language: %v", err)
	}
	if _, err := For("../lang/en"); err == nil {
		t.Error("a path is no language")
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"one two three four", "one two\n  three\n  four\n"},
		{"初回受理率は高い。次も同じ。", "初回受理\n  率は高\n  い。次\n  も同\n  じ。\n"},
		{"docomo宛ては遅延", "docomo宛\n  ては遅\n  延\n"},
		{"", "\n"},
	} {
		if got := Fold(c.text, 8, "  "); got != c.want {
			t.Errorf("Fold(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	if got := Pad("推定", 6) + "|" + PadLeft("組", 4) + "|" + Cut("宛先不明の率", 7); got != "推定  |  組|宛先不…" {
		t.Errorf("%q", got)
	}
}
