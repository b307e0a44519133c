package dmarc

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"repute/internal/signals"
)

func sample(t testing.TB) []byte {
	t.Helper()
	text, err := os.ReadFile("../../../sample-logs/signals/dmarc.xml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func collect(t *testing.T, file []byte) []string {
	t.Helper()
	var out []string
	err := ReadFile(bytes.NewReader(file), true, func(r signals.Record) bool {
		out = append(out, fmt.Sprintf("%s %s from=%s n=%d k=%d day=%d %s %v", r.Receiver, r.IP, r.SenderDomain, r.N, r.K, r.Day, r.Detail, r.Verified))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReadFile(t *testing.T) {
	plain := sample(t)
	var gz, zipped bytes.Buffer
	w := gzip.NewWriter(&gz)
	_, _ = w.Write(plain)
	_ = w.Close()
	z := zip.NewWriter(&zipped)
	f, _ := z.Create("../../etc/report.xml")
	_, _ = f.Write(plain)
	_ = z.Close()
	newer := bytes.Replace(plain, []byte("<feedback>"), []byte(`<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">`), 1)
	want := []string{
		"google.com 192.0.2.11 from=news.example.com n=812 k=0 day=1763942400 let through true",
		"google.com 192.0.2.12 from=news.example.com n=40 k=40 day=1763942400 put in the spam folder by our own policy, to gmail.com true",
		"google.com 2001:db8::77 from=example.com n=3 k=3 day=1763942400 refused by our own policy true",
	}
	for name, file := range map[string][]byte{"xml": plain, "gz": gz.Bytes(), "zip": zipped.Bytes(), "newer namespace": newer} {
		if got := collect(t, file); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
}

// TestBombs is about documents made to cost: each is refused after its first
// bytes, and little memory is taken.
func TestBombs(t *testing.T) {
	head := "<feedback><report_metadata><org_name>x</org_name><date_range><begin>1763942400</begin></date_range></report_metadata>"
	row := "<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
	var gz, many bytes.Buffer
	w := gzip.NewWriter(&gz)
	for range 1 << 10 {
		_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	_ = w.Close()
	z := zip.NewWriter(&many)
	for i := range 10_000 {
		_, _ = z.Create(fmt.Sprintf("%d.xml", i))
	}
	_ = z.Close()
	for name, c := range map[string]struct{ file, want string }{
		"DOCTYPE":        {`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><feedback>&x;</feedback>`, "document type"},
		"entity":         {"<feedback>&lol9;</feedback>", "entity"},
		"depth":          {"<feedback>" + strings.Repeat("<a>", 1<<20), "nested"},
		"records":        {head + strings.Repeat(row, maxRecords+1), "records"},
		"long text":      {"<feedback><report_metadata><org_name>" + strings.Repeat("x", 1<<20), "bytes of text"},
		"gzip of blanks": {gz.String(), "MiB of XML"},
		"zip of 10,000":  {many.String(), "no report comes so"},
		"cut":            {head + row, "cut off"},
		"html":           {"<html></html>", "no DMARC"},
		"empty":          {"", "no DMARC"},
		"crossed":        {"<feedback><a></feedback></a>", "closes nothing"},
		"address":        {head + strings.Replace(row, "192.0.2.1", "localhost", 1), "is not an address"},
		"count":          {head + strings.Replace(row, "<count>1<", "<count>99999999999<", 1), "is not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			err := ReadFile(strings.NewReader(c.file), false, func(signals.Record) bool { return true })
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			// Of what is taken together only a part is held at a time.
			if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 64<<20 {
				t.Errorf("%d MiB held", held>>20)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte("PK\x03\x04"))
	f.Add([]byte{0x1f, 0x8b, 8})
	f.Fuzz(func(t *testing.T, file []byte) {
		_ = ReadFile(bytes.NewReader(file), true, func(r signals.Record) bool {
			if r.K > r.N || r.IP == "" || r.Key == "" {
				t.Errorf("impossible record %+v", r)
			}
			return true
		})
	})
}
