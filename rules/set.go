package rules

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"repute/delivery"
)

//go:embed reasons/*.toml providers.toml
var embedded embed.FS

// Set is a set of rules and providers. It is safe for concurrent use.
type Set struct {
	rules     []*Rule // the user's first
	byID      map[string]*Rule
	named     map[string]bool // receivers that a rule is for
	tells     map[string]bool // of these: where a rule asks which recipient a reply names
	literals  *literals
	wordless  bits // rules that may win without a word of theirs
	providers *providers
	version   string
}

// Default returns the built-in rules.
func Default() (*Set, error) { return load(nil) }

// Load returns the rules of a directory before the built-in ones: *.toml with
// [[rule]] entries, and providers.toml with [[receiver]] entries. A rule with
// the id of a built-in one takes its place.
func Load(dir string) (*Set, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	defer root.Close()
	return load(root.FS())
}

func load(user fs.FS) (*Set, error) {
	s := &Set{byID: map[string]*Rule{}, named: map[string]bool{}, tells: map[string]bool{}, literals: newLiterals(), providers: newProviders()}
	sum := sha256.New()
	read := func(fsys fs.FS, pattern string) error {
		names, err := fs.Glob(fsys, pattern)
		if err != nil {
			return err
		}
		slices.Sort(names)
		for _, name := range names {
			if info, err := fs.Stat(fsys, name); err == nil && !info.Mode().IsRegular() { // a pipe would never end
				return fmt.Errorf("%s: not a regular file", name)
			}
			text, err := fs.ReadFile(fsys, name)
			if err != nil {
				return err
			}
			sum.Write(text)
			if err := s.add(name, text); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	var errs []error
	if user != nil {
		errs = append(errs, read(user, "*.toml"))
	}
	errs = append(errs, read(embedded, "reasons/*.toml"), read(embedded, "providers.toml"))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return s, nil
}

// Names tells whether a rule is for this receiver. The replies of all that
// none is for mean the same.
func (s *Set) Names(receiver string) bool { return s.named[receiver] }

// file is what a TOML file may hold.
type file struct {
	Rule     []*Rule    `toml:"rule"`
	Receiver []provider `toml:"receiver"`
}

func (s *Set) add(name string, text []byte) error {
	var f file
	d := toml.NewDecoder(strings.NewReader(string(text)))
	if err := d.DisallowUnknownFields().Decode(&f); err != nil {
		var strict *toml.StrictMissingError
		if errors.As(err, &strict) {
			return errors.New(strict.String())
		}
		return err
	}
	for _, r := range f.Rule {
		r.file = name
		if err := r.compile(s.literals); err != nil {
			return err
		}
		if old := s.byID[r.ID]; old != nil {
			if old.file == name {
				return fmt.Errorf("rule %s stands there twice", r.ID)
			}
			continue // the user's rule came first
		}
		s.byID[r.ID] = r
		n := int32(len(s.rules))
		s.rules = append(s.rules, r)
		s.wordless = s.wordless.grown(len(s.rules))
		if s.literals.use(n, r.tokens, r.phrases, r.weak); r.re != nil || len(r.tokens)+len(r.phrases)+len(r.weak) == 0 {
			s.wordless.add(n)
		}
		for _, receiver := range r.Receiver {
			s.named[receiver] = true
			s.tells[receiver] = s.tells[receiver] || r.tellsRecipients()
		}
	}
	return s.providers.add(f.Receiver)
}

// Version identifies the rules: verdicts of one version are comparable.
func (s *Set) Version() string { return s.version }

// Rules lists the rules, the user's first.
func (s *Set) Rules() []*Rule { return s.rules }

// Rule finds a rule by its id.
func (s *Set) Rule(id string) (Rule, bool) {
	if r := s.byID[id]; r != nil {
		return *r, true
	}
	return Rule{}, false
}

// maxText bounds how much of a reply is read: what counts stands at the start.
const maxText = 4096

// Classify tells what a reply of a receiver (its id) means. Accepted mail has
// no reason.
func (s *Set) Classify(receiver string, r delivery.Reply) delivery.Verdict {
	e := s.explain(receiver, r, 1)
	if len(e) == 0 {
		return unclassified(&r)
	}
	w := e[0].Rule
	return delivery.Verdict{
		Reason: w.reason, Rule: w.ID, About: w.about, Permanent: w.Permanent, Confidence: w.Confidence,
	}
}

// unclassified is the verdict where no rule fits.
func unclassified(r *delivery.Reply) delivery.Verdict {
	if r.Code >= 200 && r.Code < 400 {
		return delivery.Verdict{}
	}
	if r.Failure == delivery.DNSFailure {
		return delivery.Verdict{Reason: delivery.BadDomainDNS, Confidence: 0.8}
	}
	if r.Code == 0 && r.Failure != delivery.FailureNone && r.Failure != delivery.LocalFault {
		return delivery.Verdict{Reason: delivery.Network, About: delivery.AboutReceiver, Confidence: 0.5}
	}
	return delivery.Verdict{Reason: delivery.Other, Confidence: 0.1}
}

// explain lists the rules that fit, the winner first, at most n.
func (s *Set) explain(receiver string, r delivery.Reply, n int) []Match {
	t := s.subject(receiver, &r)
	var found []Match
	var patterned []*Rule // last: most need not be tried
	try := func(rule *Rule) {
		w := rule.match(&t)
		if w == 0 || n == 1 && len(found) == 1 && w <= found[0].Weight {
			return
		}
		if n == 1 {
			found = found[:0]
		}
		found = append(found, Match{Rule: rule, Weight: w})
	}
	for i := range s.candidates(t.hits).all() {
		if rule := s.rules[i]; rule.re != nil && n == 1 {
			patterned = append(patterned, rule)
		} else {
			try(rule)
		}
	}
	for _, rule := range patterned {
		if len(found) == 0 || found[0].Weight < rule.atMost() {
			try(rule)
		}
	}
	slices.SortStableFunc(found, func(a, b Match) int { return b.Weight - a.Weight })
	return found[:min(n, len(found))]
}

// candidates are the rules that may fit a text with these literals.
func (s *Set) candidates(h bits) bits {
	out := slices.Clone(s.wordless)
	for id := range h.all() {
		for _, rule := range s.literals.users[id] {
			out.add(rule)
		}
	}
	return out
}
