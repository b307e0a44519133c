package envelope

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Wrapper takes off what containers and collectors put around a line: docker
// compose's prefix, the JSON of docker, journald, Filebeat and Logstash, and
// the CRI prefix of Kubernetes, whose partial lines it joins.
type Wrapper struct {
	partial []byte
	record  record
}

// maxPartial bounds a line joined from parts.
const maxPartial = 64 << 10

// record holds the fields of all JSON forms; each uses some of them.
type record struct {
	Log      json.RawMessage `json:"log"`     // docker json-file: the line; Filebeat: an object
	Message  json.RawMessage `json:"message"` // Filebeat, Logstash; journald spells it in capitals
	Time     string          `json:"__REALTIME_TIMESTAMP"`
	Host     string          `json:"_HOSTNAME"`
	Program  string          `json:"SYSLOG_IDENTIFIER"`
	Journald json.RawMessage `json:"MESSAGE"`
}

// Unwrap returns the line inside. For journald, which keeps stamp, host and
// program apart, it fills e and done is true. A nil line without done means
// that more parts follow.
func (w *Wrapper) Unwrap(e *Envelope, line []byte) (inner []byte, done bool) {
	if len(line) > 0 && line[0] == '{' {
		return w.json(e, line)
	}
	if len(line) > 36 { // the common cases
		switch {
		case line[3] == ' ' && line[6] == ' ': // "Jan  5 "
			return line, false
		case line[4] != '-' || line[7] != '-':
		case line[10] == ' ': // "2026-01-05 "
			return line, false
		case line[10] == 'T': // "2026-01-05T"
			if rest, partial, ok := cri(line); ok {
				return w.join(rest, partial), false
			}
			return line, false
		}
	}
	if i := bytes.Index(line[:min(len(line), 80)], []byte(" | ")); i > 0 && isServiceName(bytes.TrimRight(line[:i], " ")) {
		return line[i+3:], false
	}
	return line, false
}

func (w *Wrapper) json(e *Envelope, line []byte) ([]byte, bool) {
	w.record = record{}
	if TooDeep(line) || json.Unmarshal(line, &w.record) != nil {
		return line, false
	}
	if w.record.Journald != nil && w.record.Program != "" {
		us, _ := strconv.ParseInt(w.record.Time, 10, 64)
		*e = Envelope{
			At: us, Host: []byte(w.record.Host), Program: []byte(w.record.Program), Text: messageText(w.record.Journald),
		}
		return nil, true
	}
	if len(w.record.Log) > 0 && w.record.Log[0] == '"' {
		text, whole := bytes.CutSuffix(messageText(w.record.Log), []byte("\n"))
		return w.join(text, !whole && len(text) >= 16<<10), false
	}
	if w.record.Message != nil {
		return messageText(w.record.Message), false
	}
	return line, false
}

// TooDeep tells a JSON line that nests deeper than any log record does: a
// decoder would take many times its length for the nesting alone.
func TooDeep(line []byte) bool {
	const deepest = 32
	depth, quoted := 0, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > deepest {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// messageText reads a JSON string, or the array of byte values that journald
// exports for text that is not UTF-8.
func messageText(raw json.RawMessage) []byte {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return []byte(s)
	}
	var numbers []uint8
	var values []uint16
	if json.Unmarshal(raw, &values) == nil {
		for _, v := range values {
			numbers = append(numbers, byte(v))
		}
	}
	return numbers
}

// join collects the parts of a line; nil until it is whole.
func (w *Wrapper) join(part []byte, more bool) []byte {
	if more {
		if len(w.partial)+len(part) <= maxPartial {
			w.partial = append(w.partial, part...)
		}
		return nil
	}
	if len(w.partial) == 0 {
		return part
	}
	whole := append(w.partial, part...)
	w.partial = nil
	return whole
}

// cri reads "2026-01-05T01:00:00.123456789Z stdout F line": the container
// runtime's format. P marks a part.
func cri(line []byte) (rest []byte, partial, ok bool) {
	i := bytes.IndexByte(line, ' ')
	if i < 0 || i+1 == len(line) || line[i+1] != 's' {
		return nil, false, false
	}
	for _, stream := range [...]string{"stdout ", "stderr "} {
		after, found := bytes.CutPrefix(line[i+1:], []byte(stream))
		if found && len(after) > 2 && (after[0] == 'F' || after[0] == 'P') {
			j := bytes.IndexByte(after, ' ')
			return after[j+1:], after[0] == 'P', true
		}
	}
	return nil, false, false
}

func isServiceName(b []byte) bool {
	for _, c := range b {
		if c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return len(b) > 0
}
