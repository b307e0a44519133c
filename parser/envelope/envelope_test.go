package envelope

import (
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	const want = "2026-01-05T01:00:00Z"
	for _, c := range []struct{ name, line, at, host, program, text string }{
		{"RFC 3164", "Jan  5 10:00:00 mx1 postfix/smtp[5]: x y", want, "mx1", "postfix/smtp", "x y"},
		{"postlogd", "Jan 05 10:00:00 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"one blank", "Jan 5 10:00:00 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"with PRI", "<22>Jan  5 10:00:00 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"with a year", "2026 Jan  5 10:00:00 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"RFC 3339", "2026-01-05T10:00:00.000000+09:00 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"zone without colon", "2026-01-05T10:00:00+0900 mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"UTC", "2026-01-05T01:00:00Z mx1 postfix/smtp[5]: x", want, "mx1", "postfix/smtp", "x"},
		{"RFC 5424", "<22>1 2026-01-05T01:00:00Z mx1 postfix/smtp 5 - [a b=\"]\"] \xef\xbb\xbfx", want, "mx1", "postfix/smtp", "x"},
		{"Solaris", "Jan  5 10:00:00 mx1 postfix/smtp[5]: [ID 197553 mail.info] x", want, "mx1", "postfix/smtp", "x"},
		{"no colon behind the pid", "Jan  5 10:00:00 mx1 postfix/smtp[5] ABC: x", want, "mx1", "postfix/smtp", "ABC: x"},
		{"passed on by another syslog", "Jan  5 10:00:09 srv mailu-smtp[5]: Jan  5 10:00:00 mx1 postfix/smtp[5]: 77E3A11C0D: x", want, "mx1", "postfix/smtp", "77E3A11C0D: x"},
		{"no such date", "Feb 30 10:00:00 mx1 postfix/smtp[5]: x", "", "mx1", "postfix/smtp", "x"},
		{"repeated", "Jan  5 10:00:00 mx1 last message repeated 3 times", want, "mx1", "", "last message repeated 3 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(tokyo, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), time.Time{}, 0)
			var e Envelope
			if !r.Read(&e, []byte(c.line)) {
				t.Fatal("not read")
			}
			at := ""
			if e.At != 0 {
				at = time.UnixMicro(e.At).UTC().Format(time.RFC3339)
			}
			if at != c.at || string(e.Host) != c.host || string(e.Program) != c.program || string(e.Text) != c.text {
				t.Errorf("%s %q %q %q", at, e.Host, e.Program, e.Text)
			}
		})
	}
	if New(nil, time.Time{}, time.Time{}, 0).Read(&Envelope{}, []byte("2026-01-05 10:00:00 [123] 1rYcUl-0005vi-00 Completed")) {
		t.Error("Exim's own log is no syslog")
	}
}

// The year of stamps without one: from the reference, then by monotony.
func TestYears(t *testing.T) {
	for _, c := range []struct {
		name             string
		reference, after time.Time
		year             int
		lines, want      []string
	}{
		{"over New Year", time.Date(2026, 1, 3, 0, 0, 0, 0, time.UTC), time.Time{}, 0, []string{"Dec 31 23:59:59", "Jan  1 00:00:01", "Dec 31 23:59:58"}, []string{"2025-12-31", "2026-01-01", "2025-12-31"}},
		{"an old file", time.Date(2019, 7, 1, 0, 0, 0, 0, time.UTC), time.Time{}, 0, []string{"Aug  1 00:00:00", "Jan 30 00:00:00"}, []string{"2018-08-01", "2019-01-30"}},
		{"29 February", time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), time.Time{}, 0, []string{"Feb 29 12:00:00"}, []string{"2024-02-29"}},
		{"the year is told", time.Time{}, time.Time{}, 2020, []string{"Dec 31 00:00:00", "Jan  1 00:00:00"}, []string{"2020-12-31", "2021-01-01"}},
		{"after the file before", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 12, 31, 0, 0, 0, 0, time.UTC), 0, []string{"Jan  1 00:00:00"}, []string{"2026-01-01"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(nil, c.reference, c.after, c.year)
			for i, l := range c.lines {
				var e Envelope
				ok := r.Read(&e, []byte(l+" mx1 postfix/smtp[5]: x"))
				if got := time.UnixMicro(e.At).UTC().Format("2006-01-02"); !ok || got != c.want[i] {
					t.Errorf("%s is %s, want %s", l, got, c.want[i])
				}
			}
		})
	}
}

// The hour that comes twice when summer time ends: the order of lines tells
// which it is, with the writers' small disorder.
func TestChangeDay(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for name, day := range map[string]string{"no year": "Oct 26", "no zone": "2025-10-26"} {
		r := New(berlin, time.Time{}, time.Time{}, 2025)
		for _, c := range [][2]string{
			{"01:59:59", "23:59:59"},
			{"02:00:00", "00:00:00"},
			{"02:45:00", "00:45:00"},
			{"02:44:58", "00:44:58"}, // late
			{"02:00:01", "01:00:01"}, // the second time
			{"02:25:00", "01:25:00"},
			{"02:50:00", "01:50:00"},
			{"03:00:00", "02:00:00"},
		} {
			at, _, ok := r.Stamp([]byte(day + " " + c[0] + " mx1 x"))
			if got := time.UnixMicro(at).UTC().Format("15:04:05"); !ok || got != c[1] {
				t.Errorf("%s: %s is %s UTC, want %s", name, c[0], got, c[1])
			}
		}
	}
}

// What containers and collectors put around a line.
func TestUnwrap(t *testing.T) {
	const line = "Jan  5 10:00:00 mx1 postfix/smtp[5]: x"
	for name, lines := range map[string][]string{
		"docker json-file":             {`{"log":"Jan  5 10:00:00 mx1 postfix/smtp[5]: x\n","stream":"stdout","time":"2026-01-05T01:00:00Z"}`},
		"docker compose":               {"mail-1  | " + line},
		"docker compose, digits":       {"2026-mail_1 | " + line},
		"CRI":                          {"2026-01-05T01:00:00.123456789Z stdout F " + line},
		"CRI in parts":                 {"2026-01-05T01:00:00.123456789Z stdout P Jan  5 10:00:00", "2026-01-05T01:00:00.123456789Z stdout P  mx1 postfix", "2026-01-05T01:00:00.123456789Z stdout F /smtp[5]: x"},
		"Filebeat":                     {`{"@timestamp":"2026-01-05T01:00:00Z","message":"Jan  5 10:00:00 mx1 postfix/smtp[5]: x","log":{"file":{"path":"/var/log/mail.log"}}}`},
		"nothing around it":            {line},
		"docker, a line cut at 16 KiB": {`{"log":"` + line[:20] + strings.Repeat("y", 16<<10) + `"}`, `{"log":"` + line[20:] + `\n"}`},
	} {
		var w Wrapper
		var e Envelope
		for i, l := range lines {
			inner, done := w.Unwrap(&e, []byte(l))
			got := strings.ReplaceAll(string(inner), "y", "")
			if last := i == len(lines)-1; done || last && got != line || !last && inner != nil {
				t.Errorf("%s, part %d: %q, %t", name, i, got, done)
			}
		}
	}
	for _, message := range []string{`"3F2A: \u003cx"`, "[51,70,50,65,58,32,60,120]"} {
		var w Wrapper
		var e Envelope
		inner, done := w.Unwrap(&e, []byte(`{"__REALTIME_TIMESTAMP":"1767574800000000","_HOSTNAME":"mx1","SYSLOG_IDENTIFIER":"postfix/smtp","MESSAGE":`+message+`}`))
		if inner != nil || !done || e.At != 1767574800000000 || string(e.Host) != "mx1" || string(e.Program) != "postfix/smtp" || string(e.Text) != "3F2A: <x" {
			t.Errorf("journald, %s: %q %t %+v", message, inner, done, e)
		}
	}
}
