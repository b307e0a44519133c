package arf

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"repute/internal/signals/mailauth"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// trusted is the host that the samples' Authentication-Results are from.
var trusted = mailauth.Trust{"mx.example.com"}

func TestSamples(t *testing.T) {
	files, err := filepath.Glob("testdata/*.eml")
	if err != nil || len(files) < 6 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Parse(bytes.NewReader(text), trusted)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("type %s\nagent %s\ncomplaint %v\nverified %v\nsource %v\nreported %s\nmessage-ids %s\nqueue-ids %s\nsender %s\nrecipient %s\ndomain %s\n",
				r.Type, r.Agent, r.Complaint(), r.Verified, r.SourceIP, r.Reported.UTC().Format("2006-01-02 15:04"),
				strings.Join(r.About.MessageIDs, " "), strings.Join(r.About.QueueIDs, " "), r.About.Sender, r.About.Recipient, r.About.Domain)
			golden := strings.TrimSuffix(file, ".eml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestNoReport(t *testing.T) {
	for name, text := range map[string]string{
		"plain mail": "From: a@example.com\r\n\r\nhello\r\n",
		"nothing":    "",
		"no boundary": "Content-Type: multipart/report\r\n\r\n--x\r\nContent-Type: message/feedback-report\r\n\r\n" +
			"Feedback-Type: abuse\r\n--x--\r\n",
		"log": "Nov 24 10:00:00 mx1 postfix/smtp[1]: 4F: to=<a@example.com>\n",
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := Parse(strings.NewReader(text), trusted); err == nil {
				t.Errorf("a report was found: %+v", r)
			}
		})
	}
	if _, err := Parse(strings.NewReader("From: a@example.com\r\n\r\nhello\r\n"), nil); !errors.Is(err, ErrNoReport) {
		t.Errorf("err = %v, want ErrNoReport", err)
	}
}

// A forged header below the receiving host's own must not count, nor one that
// passes for a stranger's domain.
func TestVerified(t *testing.T) {
	const from = "From: feedback@provider.example\r\n"
	for name, c := range map[string]struct {
		headers string
		want    bool
	}{
		"none":                {"", false},
		"dkim of the sender":  {"Authentication-Results: mx.example.com; dkim=pass header.d=provider.example\r\n", true},
		"dkim of a part":      {"Authentication-Results: mx.example.com; dkim=pass (2048-bit key) header.d=fbl.provider.example header.s=a\r\n", true},
		"spf":                 {"Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=bounce@provider.example\r\n", true},
		"another host's word": {"Authentication-Results: evil.example.net; dkim=pass header.d=provider.example\r\n", false},
		"dkim of a stranger":  {"Authentication-Results: mx.example.com; dkim=pass header.d=evil.example.net\r\n", false},
		"in a comment":        {"Authentication-Results: mx.example.com; dkim=fail (dkim=pass header.d=provider.example)\r\n", false},
		"below our own": {"Authentication-Results: mx.example.com; dkim=fail header.d=provider.example\r\n" +
			"Authentication-Results: mx.example.com; dkim=pass header.d=provider.example\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			text := c.headers + from + "Content-Type: multipart/report; boundary=x\r\n\r\n" +
				"--x\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n\r\n--x--\r\n"
			r, err := Parse(strings.NewReader(text), trusted)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verified != c.want {
				t.Errorf("verified = %v, want %v", r.Verified, c.want)
			}
		})
	}
}

// Bombs end soon, with an error or with what stood before them.
func TestBombs(t *testing.T) {
	deep := "Content-Type: multipart/mixed; boundary=b0\r\n\r\n"
	for i := range 10_000 {
		deep += fmt.Sprintf("--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	many := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\na\r\n", 100_000)
	header := strings.Repeat("X: y\r\n", 1_000_000)
	base64 := "Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		strings.Repeat(strings.Repeat("QUJD", 19)+"\r\n", 1<<20)
	for name, text := range map[string]string{"deep": deep, "many": many, "header": header, "base64": base64} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse(strings.NewReader(text), trusted); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.eml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Parse(bytes.NewReader(text), trusted)
		if err != nil {
			return
		}
		rec := r.Record()
		for _, s := range []string{rec.Receiver, rec.Detail, rec.IP, rec.Key} {
			if strings.ContainsAny(s, "\r\n\x00\x1b") {
				t.Errorf("control characters in %q", s)
			}
		}
		if rec.Key == "" {
			t.Error("no key")
		}
	})
}
