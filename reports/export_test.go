package reports_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"repute/reports"
	"repute/reports/fixture"
)

// The export has golden bytes, every list of it is a list, and every name of
// it stands in docs/report-format.md.
func TestExport(t *testing.T) {
	b, err := json.MarshalIndent(reports.NewExport(fixture.Story("")), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "export.json", append(b, '\n'))
	doc, err := os.ReadFile("../docs/report-format.md")
	if err != nil {
		t.Fatal(err)
	}
	documented(t, string(doc), reflect.TypeFor[reports.Export]())
	b, err = json.Marshal(reports.NewExport(&reports.Findings{Period: fixture.Story("").Period}))
	if err != nil {
		t.Fatal(err)
	}
	var lists map[string]any
	if err := json.Unmarshal(b, &lists); err != nil {
		t.Fatal(err)
	}
	for name, v := range lists {
		if v == nil {
			t.Errorf("%s is null where there is nothing", name)
		}
	}
}

// documented looks for each JSON name in the doc.
func documented(t *testing.T, doc string, of reflect.Type) {
	t.Helper()
	switch of.Kind() {
	case reflect.Slice, reflect.Pointer:
		documented(t, doc, of.Elem())
	case reflect.Struct:
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name == "" || !strings.Contains(doc, "`"+name+"`") {
				t.Errorf("docs/report-format.md lacks `%s` of %s", name, of)
			}
			documented(t, doc, of.Field(i).Type)
		}
	}
}
