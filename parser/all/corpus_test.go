package all

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"repute/delivery"
	"repute/parser"
)

// corpus holds other projects' logs, unchanged. They are not ours to commit.
const corpus = "../../../shared/data/logs.tar.gz"

// The oracle knows delivery lines by one look anywhere in the line, as a grep
// would: it is no grammar.
var (
	postfixDelivery = regexp.MustCompile(`(?:^|[ \]:"'\x60])[0-9A-Za-z]{5,20}: (?:(?:to=<.*, )?status=[a-zA-Z-]+ \(|from=<[^>]*>, status=|host \S+ (?:said|refused to talk to me): )`)
	eximDelivery    = regexp.MustCompile(`\b[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4}) (?:=>|->|>>|\*>|==|\*\*) +\S`)
	stampStart      = regexp.MustCompile(`(?:<\d+>)?(?:[A-Z][a-z]{2} [ 0-3]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)`)
)

// corpusCount is what became of the delivery lines of one MTA.
type corpusCount struct {
	lines int
	lost  []loss
}

// loss is a line that was not understood, and why.
type loss struct{ file, reason, line string }

// tell logs one line of each file and reason, with their number.
func tell(t *testing.T, losses []loss) {
	t.Helper()
	kinds := map[[2]string]int{}
	for _, l := range losses {
		kinds[[2]string{l.file, l.reason}]++
	}
	for _, l := range losses {
		kind := [2]string{l.file, l.reason}
		if n := kinds[kind]; n > 0 {
			t.Logf("  %d × %s: %s: %s", n, l.file, l.reason, l.line)
			delete(kinds, kind)
		}
	}
}

// TestCorpus reads every file of the corpus as a user would and asks for each
// line that looks like a delivery whether an outcome was found in it.
func TestCorpus(t *testing.T) {
	f, err := os.Open(corpus)
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no ../shared/data")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	counts := map[string]*corpusCount{"postfix": {}, "exim": {}}
	files, lines := 0, 0
	var refused []loss
	eachFile(t, f, "", func(name string, text []byte) {
		files++
		lines += bytes.Count(text, []byte("\n"))
		refused = append(refused, readCorpusFile(name, text, counts)...)
	})
	t.Logf("%d files, %d lines, %d reported as not understood", files, lines, len(refused))
	tell(t, refused)
	if files < 1000 {
		t.Errorf("%d files found in the corpus", files)
	}
	for mta, c := range counts {
		share := 100 * float64(c.lines-len(c.lost)) / float64(c.lines)
		t.Logf("%s: %d delivery lines, %d not understood: %.3f %% understood", mta, c.lines, len(c.lost), share)
		tell(t, c.lost)
		if share < 99.9 {
			t.Errorf("%s: %.3f %% understood, want 99.9", mta, share)
		}
	}
}

// eachFile unpacks archives in archives.
func eachFile(t *testing.T, r io.Reader, name string, visit func(name string, text []byte)) {
	t.Helper()
	if name == "" || strings.HasSuffix(name, "gz") {
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(name, err)
		}
		r = z
	}
	if name != "" && !strings.HasSuffix(name, ".tar.gz") {
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(name, err)
		}
		visit(name, text)
		return
	}
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(name, err)
		}
		if h.Typeflag == tar.TypeReg {
			eachFile(t, in, path.Join(name, h.Name), visit)
		}
	}
}

// readCorpusFile returns the lines that the parser itself reports as not
// understood.
func readCorpusFile(name string, text []byte, counts map[string]*corpusCount) (refused []loss) {
	lines := bytes.Split(text, []byte("\n"))
	switch {
	case strings.HasSuffix(name, ".json"):
		lines = jsonLines(text)
	case slices.Contains([]string{".go", ".py", ".rb", ".js", ".md", ".yaml", ".ini"}, path.Ext(name)) || strings.Contains(name, ".go."):
		lines = quotedLines(lines)
	}
	formats := Formats()
	var p parser.Parser
	if f, err := parser.Detect(formats, lines[:min(len(lines), 200)]); err == nil {
		p = f.New(parser.Options{Host: "mx1"})
	}
	var events []delivery.Event
	for _, line := range lines {
		for _, f := range formats { // whatever it is, nothing panics
			_, _ = f.New(parser.Options{}).Append(nil, line)
		}
		mta := ""
		switch {
		case eximDelivery.Match(line):
			mta = "exim"
		case postfixDelivery.Match(line) && !bytes.Contains(line, []byte("sendmail[")):
			mta = "postfix"
		}
		reason := "no format was recognised"
		if p != nil {
			var err error
			events, err = p.Append(events[:0], line)
			reason = lostReason(events, err)
			if err != nil && !errors.Is(err, parser.ErrIrrelevant) {
				refused = append(refused, newLoss(name, reason, line))
			}
		}
		if mta == "" {
			continue
		}
		counts[mta].lines++
		if reason != "" {
			counts[mta].lost = append(counts[mta].lost, newLoss(name, reason, line))
		}
	}
	return refused
}

func newLoss(name, reason string, line []byte) loss {
	return loss{path.Base(name), reason, string(line[:min(len(line), 200)])}
}

// lostReason is empty where an outcome was found.
func lostReason(events []delivery.Event, err error) string {
	switch {
	case err != nil:
		return err.Error()
	case len(events) == 0:
		return "no event"
	case events[0].Status == delivery.StatusNone && events[0].Kind != delivery.HostTrial && !events[0].Truncated:
		return "no outcome: " + events[0].Kind.String()
	}
	return ""
}

// jsonLines takes the message out of a collector's test case. The collector
// keeps stamp and program apart, so an envelope is put before it.
func jsonLines(text []byte) [][]byte {
	var record struct {
		Input struct {
			Message string `json:"message"`
			Log     struct {
				Syslog struct {
					Appname string `json:"appname"`
				} `json:"syslog"`
			} `json:"log"`
		} `json:"input"`
	}
	if json.Unmarshal(text, &record) != nil {
		return bytes.Split(text, []byte("\n"))
	}
	var out [][]byte
	for line := range strings.SplitSeq(record.Input.Message, "\n") {
		if stampStart.FindStringIndex(line) == nil {
			line = "Jan  5 10:00:00 mx1 " + cmp.Or(record.Input.Log.Syslog.Appname, "postfix") + "[1]: " + line
		}
		out = append(out, []byte(line))
	}
	return out
}

// quotedLines takes log lines out of source code: from the stamp to the
// closing quote. A text without a stamp gets an envelope.
func quotedLines(lines [][]byte) [][]byte {
	out := make([][]byte, 0, len(lines))
	for _, line := range lines {
		at := stampStart.FindIndex(line)
		if at == nil {
			if m := postfixDelivery.FindIndex(line); m != nil {
				text := bytes.TrimLeft(line[m[0]:], " \"'`:]")
				out = append(out, append([]byte("Jan  5 10:00:00 mx1 postfix/smtp[1]: "), closeQuote(line, m[0]+1, text)...))
			}
			continue
		}
		out = append(out, closeQuote(line, at[0], line[at[0]:]))
	}
	return out
}

// closeQuote cuts text at the quote that stands before it, and undoes the
// escapes of source code.
func closeQuote(line []byte, start int, text []byte) []byte {
	if start == 0 {
		return text
	}
	quote := line[start-1]
	if quote != '"' && quote != '\'' && quote != '`' {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`' && i+1 < len(text) && text[i+1] == 'n':
			return out
		case text[i] == '\\' && quote != '`' && i+1 < len(text):
			i++
			out = append(out, text[i])
		case text[i] == quote:
			return out
		default:
			out = append(out, text[i])
		}
	}
	return out
}
