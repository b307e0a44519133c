package page

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"repute/reports/fixture"
)

// chromium opens a page with the network cut off and returns its document
// after the scripts ran, what the console said, and the requests that left
// the page.
func chromium(t *testing.T, page []byte, args ...string) (dom string, console, requests []string) {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed (Debian package chromium)")
	}
	dir := t.TempDir()
	file, netlog := filepath.Join(dir, "report.html"), filepath.Join(dir, "net.json")
	if err := os.WriteFile(file, page, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	args = append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--log-net-log=" + netlog, "--virtual-time-budget=3000", "--dump-dom",
	}, args...)
	cmd := exec.CommandContext(ctx, program, append(args, "file://"+file)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errOut.String())
	}
	for line := range strings.Lines(errOut.String()) {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, line)
		}
	}
	return out.String(), console, requested(t, netlog)
}

// requested lists the addresses on the net that a page asked for.
func requested(t *testing.T, netlog string) (urls []string) {
	t.Helper()
	b, err := os.ReadFile(netlog)
	if err != nil {
		t.Fatal(err)
	}
	var log struct {
		Events []struct {
			Params struct {
				URL       string `json:"url"`
				Initiator string `json:"initiator"`
			} `json:"params"`
		} `json:"events"`
	}
	if err := json.Unmarshal(b, &log); err != nil {
		t.Fatal(err)
	}
	for _, e := range log.Events {
		// The page's own requests have an initiator; the browser's look-ups none.
		if strings.HasPrefix(e.Params.URL, "http") && e.Params.Initiator != "" && e.Params.Initiator != "not an origin" {
			urls = append(urls, e.Params.URL)
		}
	}
	return urls
}

// The page draws its charts, says nothing on the console, and asks the net
// for nothing: light and dark, wide and narrow.
func TestBrowser(t *testing.T) {
	p := english(t, fixture.Story(`<img src="http://192.0.2.1/x.png" onerror="console.error('ran')">`))
	charts := strings.Count(string(p), `class="chart`)
	for name, args := range map[string][]string{
		"desktop":    {"--window-size=1280,900"},
		"phone":      {"--window-size=390,800"},
		"dark theme": {"--window-size=1280,900", "--blink-settings=preferredColorScheme=0"},
	} {
		t.Run(name, func(t *testing.T) {
			dom, console, requests := chromium(t, p, args...)
			if n := strings.Count(dom, "<canvas"); n != charts || charts == 0 {
				t.Errorf("%d charts drawn, want %d", n, charts)
			}
			if !strings.Contains(dom, "12 of 12 pairs") {
				t.Error("the table's script did not run")
			}
			if len(console) > 0 {
				t.Errorf("the console says %q", console)
			}
			if len(requests) > 0 {
				t.Errorf("the page asked for %q", requests)
			}
		})
	}
}

// The policy alone stops a script, should an escape be forgotten one day.
func TestPolicyStopsScript(t *testing.T) {
	p := bytes.Replace(english(t, fixture.Story("")), []byte(`<main id="main">`),
		[]byte(`<main id="main"><script>document.title='ran'</script><img src="x" onerror="document.title='ran'"><img src="http://192.0.2.1/x.png">`), 1)
	dom, console, requests := chromium(t, p)
	if strings.Contains(dom, "<title>ran") {
		t.Error("a script that was put in ran")
	}
	if len(console) == 0 {
		t.Error("the console does not tell of a violation: the test sees nothing")
	}
	if len(requests) > 0 {
		t.Errorf("the page asked for %q", requests)
	}
}
