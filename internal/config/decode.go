package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// Error is one fault of the configuration.
type Error struct {
	File string // or the name of an environment variable
	Line int    // from 1; 0 where there is none
	Key  string // "smtp.port", "sender[2].ip" (counted from 1); "" where no key is at fault
	Msg  string // what is wrong and what is allowed
}

func (e *Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Key != "" {
		at += ": " + e.Key
	}
	return at + ": " + e.Msg
}

// decode reads text into cfg and checks it. Unknown keys are faults: a
// misspelt key would be silently without effect.
func decode(file string, text []byte, cfg *Config) error {
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(cfg); err != nil {
		return decodeError(file, text, err)
	}
	c := checker{file: file, lines: keyLines(text)}
	c.check(cfg)
	return c.err()
}

// decodeError turns the library's errors into ours.
func decodeError(file string, text []byte, err error) error {
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		var all []error
		for i := range strict.Errors {
			line, _ := strict.Errors[i].Position()
			all = append(all, &Error{File: file, Line: line, Key: strings.Join(strict.Errors[i].Key(), "."), Msg: "there is no such key; see docs/configuration.md"})
		}
		return errors.Join(all...)
	}
	if e, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := e.Position()
		return &Error{File: file, Line: line, Key: strings.Join(e.Key(), "."), Msg: strings.TrimPrefix(e.Error(), "toml: ")}
	}
	return &Error{File: file, Line: bareLine(text, err), Msg: strings.TrimPrefix(err.Error(), "toml: ")}
}

// bareLine finds the line of an error that comes without a place (a number
// where a text belongs): the first line up to which the file gives that error.
func bareLine(text []byte, want error) int {
	end := 0
	for i, line := range bytes.SplitAfter(text, []byte("\n")) {
		end += len(line)
		var cfg Config
		if err := toml.Unmarshal(text[:end], &cfg); err != nil && err.Error() == want.Error() {
			return i + 1
		}
	}
	return 0
}

// keyLines maps each key of the file ("sender[2].ip") and each table
// ("sender[2]") to its line.
func keyLines(text []byte) map[string]int {
	lines := map[string]int{}
	counts := map[string]int{}
	table := ""
	var p unstable.Parser
	p.Reset(text)
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table:
			table, _ = joinKey(&p, "", e, lines)
		case unstable.ArrayTable:
			name, line := joinKey(&p, "", e, nil)
			counts[name]++
			table = fmt.Sprintf("%s[%d]", name, counts[name])
			lines[table] = line
		case unstable.KeyValue:
			key := table
			if key != "" {
				key += "."
			}
			joinKey(&p, key, e, lines)
		}
	}
	return lines
}

// joinKey joins the parts of e's key behind prefix and notes its line.
func joinKey(p *unstable.Parser, prefix string, e *unstable.Node, lines map[string]int) (key string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		parts = append(parts, string(it.Node().Data))
		line = p.Shape(it.Node().Raw).Start.Line
	}
	key = prefix + strings.Join(parts, ".")
	if lines != nil {
		lines[key] = line
	}
	return key, line
}

// checker collects faults, each with the line of its key.
type checker struct {
	file  string
	lines map[string]int
	errs  []*Error
}

// fault notes a fault of a key; where the file does not hold the key, the
// line is that of the table it belongs in.
func (c *checker) fault(key, format string, args ...any) {
	e := &Error{File: c.file, Key: key, Msg: fmt.Sprintf(format, args...)}
	for k := key; e.Line == 0 && k != ""; {
		e.Line = c.lines[k]
		k = k[:max(strings.LastIndexByte(k, '.'), 0)]
	}
	c.errs = append(c.errs, e)
}

func (c *checker) err() error {
	slices.SortStableFunc(c.errs, func(a, b *Error) int { return cmp.Compare(a.Line, b.Line) })
	all := make([]error, len(c.errs))
	for i, e := range c.errs {
		all[i] = e
	}
	return errors.Join(all...)
}
