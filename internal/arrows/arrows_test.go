package arrows

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// allowed lists, for each folder, which of our own folders it may import; a
// folder's own sub-folders are always allowed. The first prefix that matches
// counts. "*" allows all.
var allowed = []struct {
	folder string
	ours   []string
	why    string
}{
	{"delivery", nil, "the nouns import the standard library only"},
	{"parser", []string{"delivery"}, "a parser knows lines and nouns"},
	{"rules", []string{"delivery"}, "rules know replies"},
	{"inference/eval", []string{"delivery", "inference"}, "the evaluation judges the model alone"},
	{"inference", []string{"delivery"}, "the model knows evidence: no SQL, no clock, no files"},
	{"reports", []string{"delivery"}, "printers know findings"},
	{"internal/sender", nil, "resolving an address needs no other part"},
	{"internal/config", nil, "the configuration is read before anything else"},
	{"internal/source", []string{"delivery"}, "files know nothing of mail"},
	{"internal/store", []string{"delivery", "rules", "internal/sender", "internal/mail"}, "storage knows the nouns; it keeps the outbox"},
	{"internal/signals", []string{"delivery", "internal/realmta"}, "importers yield signals"},
	{"internal/mail", []string{"internal/config"}, "mail carries what it is given"},
	{"internal/ingest", []string{"delivery", "parser", "rules", "internal/source", "internal/store", "internal/sender"}, "the loop ties reading to storing"},
	{"internal/analysis", []string{"delivery", "inference", "reports", "rules", "internal/store", "internal/sender", "internal/config", "internal/signals"}, "evidence in, findings out"},
	{"internal/alert", []string{"delivery", "reports", "internal/config", "internal/mail", "internal/store"}, "findings in, alerts out"},
	{"internal/follow", []string{"delivery", "inference", "parser", "rules", "reports", "internal"}, "the daemon ties it all"},
	{"internal/realmta", nil, "real programs for tests"},
	{"internal/serve", nil, "a socket and command lines"},
	{"internal/arrows", nil, "a test"},
	{"internal/bench", []string{"*"}, "measures"},
	{"cmd", []string{"*"}, "the top: ties everything"},
}

// cgoOnlyIn is the one folder whose imports may need a C compiler, but for
// what measures DuckDB itself.
const cgoOnlyIn, measures = "internal/store", "internal/bench"

func TestImports(t *testing.T) {
	root := os.DirFS("../..")
	files := 0
	// The files are opened here, not through `go list`: the test cache sees
	// what a test opens, and would call a broken wall "ok (cached)" otherwise.
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || name != "." && strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		files++
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, im := range f.Imports {
			check(t, name, strings.Trim(im.Path.Value, `"`))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 10 {
		t.Fatalf("only %d Go files found: the test looks in the wrong place", files)
	}
}

func check(t *testing.T, file, imported string) {
	t.Helper()
	folder := path.Dir(file)
	if strings.Contains(imported, "duckdb") || imported == "C" {
		if !within(folder, cgoOnlyIn) && !within(folder, measures) {
			t.Errorf("%s imports %s: only %s may need cgo", file, imported, cgoOnlyIn)
		}
	}
	ours, ok := strings.CutPrefix(imported, "repute/")
	if !ok || strings.HasSuffix(file, "_test.go") && within(ours, folder) {
		return
	}
	for _, rule := range allowed {
		if !within(folder, rule.folder) {
			continue
		}
		for _, may := range append(rule.ours, rule.folder) {
			if may == "*" || within(ours, may) {
				return
			}
		}
		if strings.HasSuffix(file, "_test.go") && !strings.HasPrefix(ours, "cmd") {
			return // tests may bring real parts together
		}
		t.Errorf("%s imports repute/%s: %s", file, ours, rule.why)
		return
	}
	t.Errorf("%s: no arrow is drawn for folder %s; add it to the table and to docs/architecture.md", file, folder)
}

func within(folder, parent string) bool {
	return folder == parent || strings.HasPrefix(folder, parent+"/")
}
