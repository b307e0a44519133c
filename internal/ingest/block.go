package ingest

import (
	"errors"
	"unsafe"

	"repute/delivery"
	"repute/internal/source"
	"repute/parser"
)

// block is some lines, read and parsed together. What its events say lies in
// its own memory, so that it can wait for the booking while more are read.
type block struct {
	first  int64  // lines of the stream before it
	from   int64  // the stream's offset before it
	before []byte // the last text before it; of a stream that is read ahead
	text   []byte // whole lines, with their ends
	kept   []byte // copied from the parser's memory
	lines  []parsed
	events []delivery.Event
	after  []byte // the last text up to its end; of a stream that is read ahead
	err    error  // what comes after the lines: io.EOF, or why no more can be read
}

// parsed is one line.
type parsed struct {
	offset int64 // of the stream, after it
	text   int   // where its text ends
	events int   // where its events end
	what   what
	kind   string // of notUnderstood
}

// what says what a line was taken for.
type what uint8

const (
	understood what = iota
	irrelevant
	notUnderstood
	tooLong
)

const (
	// blockLines is how many lines a block has at most: few enough that they
	// are still in the processor's cache when they are booked.
	blockLines = 256
	blockText  = 64 << 10
)

// fill reads and parses at most so many lines. A line that was too long ends
// the block: its text is not kept.
func (b *block) fill(from lines, p parser.Parser, most int) {
	b.first, b.from, b.err = from.Line(), from.Offset(), nil
	b.text, b.kept, b.lines, b.events = b.text[:0], b.kept[:0], b.lines[:0], b.events[:0]
	for len(b.lines) < min(most, blockLines) && len(b.text) < blockText {
		offset := from.Offset()
		line, err := from.Next()
		if err != nil && !errors.Is(err, source.ErrTooLong) {
			b.err = err
			return
		}
		l := parsed{offset: from.Offset()}
		start := len(b.text)
		if b.text = append(b.text, line...); err != nil {
			l.what = tooLong
		} else {
			line = b.text[start:]
			if l.offset-offset > int64(len(line))+1 {
				b.text = append(b.text, '\r')
			}
			b.text = append(b.text, '\n')
			b.parse(p, line, &l)
		}
		l.text, l.events = len(b.text), len(b.events)
		b.lines = append(b.lines, l)
		if l.what == tooLong {
			return
		}
	}
}

// parse adds the events of a line that stands in the block's text.
func (b *block) parse(p parser.Parser, line []byte, l *parsed) {
	n := len(b.events)
	var err error
	if b.events, err = p.Append(b.events, line); err == nil {
		for i := n; i < len(b.events); i++ {
			b.keep(&b.events[i])
		}
		return
	}
	b.events = b.events[:n]
	if err == parser.ErrIrrelevant { // it is never wrapped, and comes often
		l.what = irrelevant
		return
	}
	l.what, l.kind = notUnderstood, err.Error()
	if syntax := (*parser.SyntaxError)(nil); errors.As(err, &syntax) {
		l.kind = syntax.Kind
	}
}

// keep makes an event's texts last as long as the block: some lie in the
// parser's memory, which the next line takes.
func (b *block) keep(e *delivery.Event) {
	b.own(&e.Host)
	b.own(&e.Tag)
	b.own(&e.QueueID)
	b.own(&e.NewID)
	b.own(&e.Sender)
	b.own(&e.Recipient)
	b.own(&e.MessageID)
	b.own(&e.Client)
	b.own(&e.SASLUser)
	b.own(&e.RelayHost)
	b.own(&e.RelayIP)
	b.own(&e.LocalIP)
	b.own(&e.Transport)
	b.own(&e.TLS)
	b.own(&e.Reply.Text)
}

func (b *block) own(text *[]byte) {
	if len(*text) > 0 && !b.holds(*text) {
		n := len(b.kept)
		b.kept = append(b.kept, *text...)
		*text = b.kept[n:]
	}
}

// holds tells whether a text lies in the block's.
func (b *block) holds(text []byte) bool {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(b.text)))
	return uintptr(unsafe.Pointer(unsafe.SliceData(text)))-from < uintptr(cap(b.text))
}

// line returns the text of a line, without its end.
func (b *block) line(i int) []byte {
	start := 0
	if i > 0 {
		start = b.lines[i-1].text
	}
	return trimEnd(b.text[start:b.lines[i].text])
}

func trimEnd(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// lineEvents returns the events of a line.
func (b *block) lineEvents(i int) []delivery.Event {
	start := 0
	if i > 0 {
		start = b.lines[i-1].events
	}
	return b.events[start:b.lines[i].events]
}

// offset is the stream's before a line.
func (b *block) offset(i int) int64 {
	if i == 0 {
		return b.from
	}
	return b.lines[i-1].offset
}

// tail returns the last text before a line; of a stream that is read ahead.
func (b *block) tail(i int) []byte {
	if i == len(b.lines) {
		return b.after
	}
	end := 0
	if i > 0 {
		end = b.lines[i-1].text
	}
	if end >= source.TailSize {
		return b.text[:end]
	}
	return append(append([]byte(nil), b.before...), b.text[:end]...)
}

// ahead reads and parses a stream on a goroutine of its own.
type ahead struct {
	full, empty chan *block
	quit, ended chan struct{}
}

// blocksAhead are how many blocks are read before they are asked for.
const blocksAhead = 8

func readAhead(s *source.Stream, p parser.Parser) *ahead {
	a := &ahead{full: make(chan *block, blocksAhead), empty: make(chan *block, blocksAhead), quit: make(chan struct{}), ended: make(chan struct{})}
	for range blocksAhead {
		a.empty <- &block{}
	}
	go func() {
		defer close(a.ended)
		a.run(s, p)
	}()
	return a
}

func (a *ahead) run(s *source.Stream, p parser.Parser) {
	for {
		var b *block
		select {
		case b = <-a.empty:
		case <-a.quit:
			return
		}
		b.before = append(b.before[:0], s.Tail()...)
		b.fill(s, p, blockLines)
		b.after = append(b.after[:0], s.Tail()...)
		last := b.err != nil // once it is sent it is the receiver's
		select {
		case a.full <- b:
		case <-a.quit:
			return
		}
		if last {
			return
		}
	}
}

// stop ends the reading. A pipe may keep it waiting; it is left alone then.
func (a *ahead) stop(wait bool) {
	close(a.quit)
	if wait {
		<-a.ended
	}
}
