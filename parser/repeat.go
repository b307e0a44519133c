package parser

import (
	"bytes"

	"repute/parser/envelope"
)

// repeats knows how syslog daemons shorten a line that comes again: rsyslog
// writes "message repeated 3 times: [ text]", sysklogd "last message repeated
// 3 times", which speaks of the last line of the same host.
type repeats struct {
	hosts  []lastLine
	latest int // index of the host that wrote last: mostly the same again
}

// lastLine is the last line of a host, if it was one of ours.
type lastLine struct {
	host []byte
	line []byte // program and text
	cut  int    // where the text begins
	ours bool
}

const (
	// maxHosts bounds the hosts whose last line is kept. A central log of
	// more loses repeats of the others.
	maxHosts = 64
	// maxRepeat bounds what a line may claim to stand for.
	maxRepeat = 1_000_000
)

// unwrap returns how often the line happened and puts the text that is
// repeated into e; 0 for a repeat of a line that is not ours.
func (r *repeats) unwrap(e *envelope.Envelope) (count uint32) {
	if len(e.Text) < 24 || e.Text[4] != 'a' && e.Text[4] != ' ' || string(e.Text[:4]) != "mess" && string(e.Text[:4]) != "last" {
		return 1
	}
	if rest, ok := bytes.CutPrefix(e.Text, []byte("message repeated ")); ok {
		n, rest := times(rest)
		if text, ok := bytes.CutPrefix(rest, []byte(" times: [")); ok && n > 0 {
			e.Text = bytes.TrimLeft(bytes.TrimSuffix(text, []byte("]")), " ")
			return n
		}
		return 1
	}
	if rest, ok := bytes.CutPrefix(e.Text, []byte("last message repeated ")); ok && len(e.Program) == 0 {
		n, _ := times(rest)
		i := r.find(e.Host)
		if i < 0 || !r.hosts[i].ours {
			return 0
		}
		last := &r.hosts[i]
		e.Program, e.Text = last.line[:last.cut], last.line[last.cut:]
		return n
	}
	return 1
}

// times reads a number of repeats.
func times(b []byte) (n uint32, rest []byte) {
	i := 0
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		n = min(n*10+uint32(b[i]-'0'), maxRepeat)
	}
	return n, b[i:]
}

func (r *repeats) find(host []byte) int {
	if r.latest < len(r.hosts) && string(r.hosts[r.latest].host) == string(host) {
		return r.latest
	}
	for i := range r.hosts {
		if bytes.Equal(r.hosts[i].host, host) {
			r.latest = i
			return i
		}
	}
	return -1
}

// remember keeps a copy of the line; of a line that is not ours only that it
// was none.
func (r *repeats) remember(e *envelope.Envelope, ours bool) {
	i := r.find(e.Host)
	if i < 0 {
		if !ours {
			return
		}
		if len(r.hosts) < maxHosts {
			r.hosts = append(r.hosts, lastLine{})
		}
		i = len(r.hosts) - 1
		r.hosts[i].host = append(r.hosts[i].host[:0], e.Host...)
		r.latest = i
	}
	last := &r.hosts[i]
	if last.ours = ours; !ours || len(last.line) > 0 && len(e.Program) > 0 && &last.line[0] == &e.Program[0] {
		return // a repeat of a repeat
	}
	last.line, last.cut = append(append(last.line[:0], e.Program...), e.Text...), len(e.Program)
}
