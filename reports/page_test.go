package reports

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

var update = flag.Bool("update", false, "write golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (rewrite it with -update):\n%s", path, got)
	}
}

func page(t *testing.T, f *Findings) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := HTML(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGist(t *testing.T) {
	var b bytes.Buffer
	if err := Gist(&b, story("")); err != nil {
		t.Fatal(err)
	}
	golden(t, "gist.txt", b.Bytes())
}

// The same findings give the same bytes.
func TestPageDeterministic(t *testing.T) {
	if !bytes.Equal(page(t, story("")), page(t, story(""))) {
		t.Error("two prints differ")
	}
}

func TestPageSays(t *testing.T) {
	p := string(page(t, story("")))
	for _, want := range []string{
		"Outlook.com slows down or refuses most mail from 198.51.100.7 since Tue 17 Nov: its score fell from 92 to 34",
		"SMTP view only", "needs 24", "part of their network is on our block list", "<sup>b</sup>", "not understood",
		`data-v="34"`, "198.51.100.8 is at 93 there", "outage",
	} {
		if !strings.Contains(p, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(p) > 3<<20 {
		t.Errorf("%d bytes", len(p))
	}
}

// census counts elements and attributes by name: text must not add any.
func census(t *testing.T, page []byte) map[string]int {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for node := range root.Descendants() {
		if node.Type == html.ElementNode {
			n["<"+node.Data]++
			for _, a := range node.Attr {
				n[node.Data+"@"+a.Key]++
			}
		}
	}
	return n
}

// Whatever strangers write into a log, the page has the elements and
// attributes of a clean one, and loads nothing.
func TestHostileText(t *testing.T) {
	clean := census(t, page(t, story("x")))
	for _, payload := range payloads() {
		p := page(t, story(payload))
		if got := census(t, p); fmt.Sprint(got) != fmt.Sprint(clean) {
			t.Errorf("%q changes the page: %v, want %v", payload, got, clean)
		}
		root, err := html.Parse(bytes.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		for node := range root.Descendants() {
			for _, a := range node.Attr {
				switch {
				case a.Key == "src", strings.HasPrefix(a.Key, "on"), a.Key == "style":
					t.Errorf("%q: attribute %s on %s", payload, a.Key, node.Data)
				case a.Key == "href" && !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://sendersupport"):
					t.Errorf("%q: link to %s", payload, a.Val)
				}
			}
		}
		var b bytes.Buffer
		if err := Gist(&b, story(payload)); err != nil {
			t.Fatal(err)
		}
		for _, r := range b.String() {
			if r < 0x20 && r != '\n' || r == 0x7f || 0x80 <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e {
				t.Errorf("%q: the terminal gets %q", payload, r)
			}
		}
	}
}

// The policy names the hashes of what stands there, and nothing else may run.
func TestPolicy(t *testing.T) {
	p := string(page(t, story("")))
	for _, want := range []string{"default-src &#39;none&#39;", "script-src &#39;sha256-", "style-src &#39;sha256-"} {
		if !strings.Contains(p, want) && !strings.Contains(p, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	if strings.Contains(p, "unsafe-inline") || strings.Contains(p, "unsafe-eval") {
		t.Error("the policy is open")
	}
}
