package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestReadme runs every command that README.md shows after "$ repute" and
// compares what it prints. "…" in the README stands for anything.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "sample-logs"), filepath.Join(dir, "sample-logs")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	readme := string(text)
	examples := readmeExamples(readme)
	if len(examples) < 4 {
		t.Fatalf("README.md shows only %d examples", len(examples))
	}
	for _, ex := range examples {
		t.Run(ex.command, func(t *testing.T) {
			var out bytes.Buffer
			args := strings.Fields(ex.command)[1:]
			if status := run(context.Background(), args, strings.NewReader(ex.input), &out, &out); status != ex.status {
				t.Fatalf("exit status %d, want %d:\n%s", status, ex.status, out.String())
			}
			if *update && ex.output != "" && !matchesElided(out.String(), ex.output) {
				readme = strings.Replace(readme, indent(strings.TrimRight(ex.output, "\n")), indent(strings.TrimRight(out.String(), "\n")), 1)
				return
			}
			if ex.output != "" && !matchesElided(out.String(), ex.output) {
				t.Errorf("it prints\n%s\nREADME.md says\n%s", out.String(), ex.output)
			}
		})
	}
	if *update {
		if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(readme), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var update = flag.Bool("update", false, "write what the commands print into README.md")

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		if strings.TrimSpace(line) != "" {
			b.WriteString("    ")
		}
		b.WriteString(line)
	}
	return b.String()
}

type example struct {
	command, input, output string
	status                 int
}

// readmeExamples finds the commands in indented or fenced blocks. "make demo"
// is shown with the command that it runs. A block ending in "exit N" tells
// the exit status.
func readmeExamples(text string) []example {
	var examples []example
	var open *example
	for line := range strings.Lines(text) {
		line, shown := strings.CutPrefix(strings.TrimRight(line, "\n"), "    ")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case !shown && line != "":
			open = nil
		case isCommand && strings.HasPrefix(command, "repute "):
			examples = append(examples, example{command: command})
			open = &examples[len(examples)-1]
		case isCommand:
			open = nil
		case open != nil:
			if n, ok := strings.CutPrefix(line, "exit status "); ok {
				open.status, _ = strconv.Atoi(n)
				open = nil
				continue
			}
			open.output += line + "\n"
		}
	}
	return examples
}

// matchesElided compares printed text with text in which "…" stands for
// anything and a run of blanks for any other.
func matchesElided(got, want string) bool {
	parts := strings.Split(strings.TrimSpace(want), "…")
	for i, p := range parts {
		words := strings.Fields(p)
		for j := range words {
			words[j] = regexp.QuoteMeta(words[j])
		}
		parts[i] = strings.Join(words, `\s+`)
	}
	pattern := fmt.Sprintf(`(?s)^\s*%s\s*$`, strings.Join(parts, `.*`))
	return regexp.MustCompile(pattern).MatchString(got)
}
