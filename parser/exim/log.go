package exim

import (
	"repute/delivery"
	"repute/parser"
	"repute/parser/envelope"
)

// log reads Exim's own main log: its stamp, then the text.
type log struct {
	grammar *Grammar
	wrapper envelope.Wrapper
	reader  *envelope.Reader
	env     envelope.Envelope
}

// NewLog returns a parser of main logs. Exim's lines name no host; it comes
// from the options.
func NewLog(o parser.Options) parser.Parser {
	return &log{
		grammar: New(), reader: envelope.New(o.Zone, o.Reference, o.After, o.Year),
		env: envelope.Envelope{Host: []byte(o.Host)},
	}
}

func (l *log) Append(dst []delivery.Event, line []byte) ([]delivery.Event, error) {
	var unused envelope.Envelope // journald's lines are syslog's
	line, done := l.wrapper.Unwrap(&unused, line)
	if line == nil && !done {
		return dst, nil // a part of a line
	}
	at, text, ok := l.reader.Stamp(line)
	if !ok {
		return dst, parser.ErrIrrelevant
	}
	l.env.At, l.env.Text = at, text
	return l.grammar.Append(dst, &l.env)
}
