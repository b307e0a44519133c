package parser

import (
	"repute/delivery"
	"repute/parser/envelope"
)

// Grammar reads the text of one MTA's lines, inside any envelope.
type Grammar interface {
	// Append has the three exits of Parser.Append. ErrIrrelevant comes bare.
	Append(dst []delivery.Event, e *envelope.Envelope) ([]delivery.Event, error)
}

// syslog reads lines that syslog wrote, of whatever MTA.
type syslog struct {
	wrapper  envelope.Wrapper
	reader   *envelope.Reader
	host     []byte
	grammars []Grammar
	env      envelope.Envelope
	repeats  repeats
	err      SyntaxError
}

// NewSyslog returns a parser of lines with a syslog envelope. The first
// grammar that does not call a line irrelevant reads it: several MTAs may
// write to one file.
func NewSyslog(o Options, grammars ...Grammar) Parser {
	return &syslog{
		reader: envelope.New(o.Zone, o.Reference, o.After, o.Year), host: []byte(o.Host), grammars: grammars,
	}
}

func (p *syslog) Append(dst []delivery.Event, line []byte) ([]delivery.Event, error) {
	inner, done := p.wrapper.Unwrap(&p.env, line)
	switch {
	case done:
	case inner == nil:
		return dst, nil // a part of a line
	case !p.reader.Read(&p.env, inner):
		return dst, ErrIrrelevant
	}
	if len(p.env.Host) == 0 {
		p.env.Host = p.host
	}
	count := p.repeats.unwrap(&p.env)
	if count == 0 {
		return dst, ErrIrrelevant
	}
	out, err := p.ask(dst)
	if count > 1 {
		for i := len(dst); i < len(out); i++ {
			out[i].Count = count
		}
	}
	p.repeats.remember(&p.env, err == nil)
	return out, err
}

// ask gives the line to the first grammar that knows it.
func (p *syslog) ask(dst []delivery.Event) ([]delivery.Event, error) {
	for _, g := range p.grammars {
		out, err := g.Append(dst, &p.env)
		if err == ErrIrrelevant { // never wrapped: see Grammar
			continue
		}
		if p.env.At == 0 && err == nil && len(out) > len(dst) {
			p.err = SyntaxError{Kind: "envelope: stamp", Msg: "no such date"}
			return dst, &p.err
		}
		return out, err
	}
	return dst, ErrIrrelevant
}
