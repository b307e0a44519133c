package dmarc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"

	"repute/internal/signals"
	"repute/internal/signals/mailauth"
)

// The bounds of the mail that carries a report.
const (
	maxMail   = 16 << 20 // bytes
	maxParts  = 32
	maxNested = 5
	maxHeader = 256 << 10
)

// ReadMail reads a report from a file, or from the mail that it came in; the
// first bytes tell. A report in a mail is verified if trust vouches for the
// mail, one in a file if files says so: its way here is the user's own.
func ReadMail(r io.Reader, trust mailauth.Trust, files bool, yield func(signals.Record) bool) error {
	in := bufio.NewReader(io.LimitReader(r, maxMail+1))
	start, _ := in.Peek(512)
	if isReport(string(start)) {
		return ReadFile(in, files, yield)
	}
	e, err := message.ReadWithOptions(in, &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return fmt.Errorf("neither a report nor a mail: %w", err)
	}
	if e.Header.Get("From") == "" {
		return errors.New("neither a report (XML, gz, zip) nor a mail")
	}
	w := walker{verified: trust.Vouch(&e.Header.Header, e.Header.Get("From")), yield: yield}
	if err := w.walk(e, 0); err != nil {
		return err
	}
	if !w.found {
		return errors.New("a mail without a DMARC report (XML, gz or zip) in it")
	}
	return nil
}

func isReport(start string) bool {
	return strings.HasPrefix(start, "PK") || strings.HasPrefix(start, "\x1f\x8b") ||
		strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(start, "\ufeff"), " \t\r\n"), "<")
}

type walker struct {
	verified, found bool
	parts           int
	yield           func(signals.Record) bool
}

func (w *walker) walk(e *message.Entity, depth int) error {
	if w.parts++; w.parts > maxParts || depth > maxNested {
		return fmt.Errorf("more than %d parts, or nested more than %d deep", maxParts, maxNested)
	}
	parts := e.MultipartReader()
	if parts == nil {
		in := bufio.NewReader(e.Body)
		if start, _ := in.Peek(512); !isReport(string(start)) || html(string(start)) {
			return nil
		}
		w.found = true
		return ReadFile(in, w.verified, w.yield)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && part == nil {
			return fmt.Errorf("broken MIME: %w", err)
		}
		if err := w.walk(part, depth+1); err != nil {
			return err
		}
	}
}

// html is the part that people read.
func html(start string) bool {
	start = strings.ToLower(start)
	return strings.Contains(start, "<html") || strings.Contains(start, "<!doctype html") || strings.Contains(start, "<div") || strings.Contains(start, "<p>")
}
