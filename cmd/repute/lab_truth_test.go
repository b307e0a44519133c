package main

import (
	"archive/tar"
	"cmp"
	"encoding/csv"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

// labTruth is what happened.
type labTruth struct {
	messages map[string]map[pair]*labFact // by MTA
	records  map[string][]labRecord       // of a receiver, in order of time
}

type labFact struct {
	receiver string
	sources  []string // addresses that the receiver saw naming the sender
	planned  []string // all that it may have come from
	attempts int
	final    string
}

// labRecord is one decision of a receiver.
type labRecord struct {
	at                                        int64
	source, stage, outcome, sender, recipient string
	code                                      uint16
}

func readLabTruth(t *testing.T) labTruth {
	t.Helper()
	truth := labTruth{map[string]map[pair]*labFact{}, map[string][]labRecord{}}
	eachLabRow(t, lab+"truth/truth-messages.tsv.xz", func(col func(string) string) {
		of := truth.messages[col("mta")]
		if of == nil {
			of = map[pair]*labFact{}
			truth.messages[col("mta")] = of
		}
		attempts, _ := strconv.Atoi(col("attempts_seen"))
		of[pair{col("mail_from"), col("rcpt")}] = &labFact{
			col("receiver"), labList(col("seen_src_ips")), labList(col("planned_ips")), attempts, col("final"),
		}
	})
	eachLabRow(t, lab+"truth/receiver.tsv.xz", func(col func(string) string) {
		at, _ := strconv.ParseInt(col("ts_us"), 10, 64)
		code, _ := strconv.Atoi(col("code"))
		truth.records[col("receiver")] = append(truth.records[col("receiver")], labRecord{
			at, col("src_ip"), col("stage"), col("outcome"), col("mail_from"), col("rcpt"), uint16(code),
		})
	})
	for _, r := range truth.records {
		slices.SortStableFunc(r, func(a, b labRecord) int { return cmp.Compare(a.at, b.at) })
	}
	return truth
}

func labList(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",; ", r) })
}

func eachLabRow(t *testing.T, path string, row func(col func(string) string)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(path, err)
	}
	in := csv.NewReader(z)
	in.Comma, in.LazyQuotes = '\t', true
	head, err := in.Read()
	if err != nil {
		t.Fatal(path, err)
	}
	for {
		fields, err := in.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(path, err)
		}
		row(func(name string) string { return fields[slices.Index(head, name)] })
	}
}

// unpackLab unpacks one of the lab's archives and returns where.
func unpackLab(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(lab + archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := xz.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return dir + "/"
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(h.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(out, in); err != nil {
			t.Fatal(err)
		}
		out.Close()
		if err := os.Chtimes(path, h.ModTime, h.ModTime); err != nil {
			t.Fatal(err)
		}
	}
}
