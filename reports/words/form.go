package words

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

func (w *Words) value(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case time.Time:
		return w.Day(v)
	case float64:
		return w.Number(v)
	case []string:
		return w.List(v)
	case int, int64, uint32, int32, uint16:
		return w.Number(v)
	}
	return fmt.Sprint(v)
}

func integer(n any) int64 {
	switch v := n.(type) {
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case int64:
		return v
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case float64:
		return int64(math.Round(v))
	}
	return 0
}

// Number prints 84246 as "84,246"; what is no integer is rounded.
func (w *Words) Number(n any) string {
	s := fmt.Sprint(integer(n))
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + w.form.Group + s[i:]
	}
	return s
}

// Decimal prints a number with so many digits behind the decimal sign.
func (w *Words) Decimal(x float64, digits int) string {
	return strings.Replace(fmt.Sprintf("%.*f", digits, x), ".", w.form.Decimal, 1)
}

// Percent prints a share of a whole: "96.4", or "–" of nothing.
func (w *Words) Percent(part, whole any) string {
	n := integer(whole)
	if n == 0 {
		return "–"
	}
	return w.Decimal(100*float64(integer(part))/float64(n), 1)
}

// List joins words: "a, b and c".
func (w *Words) List(list []string) string {
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], w.form.Comma) + w.form.And + list[len(list)-1]
}

// Day is "Tue 17 Nov".
func (w *Words) Day(t time.Time) string { return w.date("date.day", t) }

// Date is "17 Nov 2026".
func (w *Words) Date(t time.Time) string { return w.date("date.date", t) }

// Short is "17 Nov": a chart's axis.
func (w *Words) Short(t time.Time) string { return w.date("date.short", t) }

// Long is "Tue 17 Nov 2026".
func (w *Words) Long(t time.Time) string { return w.date("date.long", t) }

// Moment is "Tue 17 Nov 14:00".
func (w *Words) Moment(t time.Time) string { return w.date("date.moment", t) }

func (w *Words) date(key string, t time.Time) string {
	return w.Say(key, "weekday", at(w.form.Weekdays, int(t.Weekday())), "day", fmt.Sprint(t.Day()),
		"month", at(w.form.Months, int(t.Month())-1),
		"year", fmt.Sprint(t.Year()), "time", t.Format("15:04"))
}

func at(list []string, i int) string {
	if i >= len(list) {
		return ""
	}
	return list[i]
}

// Width is how many columns of a terminal a text takes.
func Width(s string) int { return columns.StringWidth(s) }

// columns counts letters of East Asia as two columns, whatever the locale of
// the process: the same report has the same bytes everywhere.
var columns = &runewidth.Condition{}

// Cut shortens a text to so many columns.
func Cut(s string, n int) string { return columns.Truncate(s, n, "…") }

// Pad fills a text up with blanks on its right.
func Pad(s string, n int) string { return columns.FillRight(s, n) }

// PadLeft fills a text up with blanks on its left.
func PadLeft(s string, n int) string { return columns.FillLeft(s, n) }

// Fold breaks text into lines of at most width columns, the further ones
// indented. Words stay whole; between wide letters a line may break anywhere
// but before a closing mark.
func Fold(text string, width int, indent string) string {
	var b strings.Builder
	line := text[:len(text)-len(strings.TrimLeft(text, " "))]
	empty := true
	for _, p := range pieces(text) {
		gap := ""
		if p.blank && !empty {
			gap = " "
		}
		if !empty && Width(line)+len(gap)+Width(p.text) > width {
			b.WriteString(line + "\n")
			line, gap = indent, ""
		}
		line += gap + p.text
		empty = false
	}
	return b.String() + line + "\n"
}

// piece is what is never broken, and whether a blank stood before it.
type piece struct {
	text  string
	blank bool
}

func pieces(text string) (out []piece) {
	for _, word := range strings.Fields(text) {
		blank := true
		for word != "" {
			n := firstPiece(word)
			out = append(out, piece{word[:n], blank})
			word, blank = word[n:], false
		}
	}
	return out
}

// firstPiece is the length of a word's first piece: one wide letter with the
// marks that close it, or all up to the next wide letter.
func firstPiece(word string) int {
	wide := false
	for i, r := range word {
		is := columns.RuneWidth(r) == 2
		switch {
		case i == 0:
			wide = is
		case strings.ContainsRune("。、」）：；？！ー…％〜ゃゅょっャュョッァィェォ・々", r):
		case wide || is:
			return i
		}
	}
	return len(word)
}
