package dmarc

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"repute/internal/signals"
)

// The bounds of what a report comes packed in.
const (
	maxPacked = 8 << 20 // bytes, packed; a whole one must be held to read a zip
	maxFiles  = 20      // in a zip; reports come as one
)

// ReadFile reads a report as it comes: XML, or packed as gzip or zip, told by
// the first bytes. A packed report unpacks to no more than a plain one may
// have.
func ReadFile(r io.Reader, verified bool, yield func(signals.Record) bool) error {
	packed, err := io.ReadAll(io.LimitReader(r, maxPacked+1))
	if err != nil {
		return err
	}
	zipped, gzipped := bytes.HasPrefix(packed, []byte("PK")), bytes.HasPrefix(packed, []byte{0x1f, 0x8b})
	if len(packed) > maxPacked && (zipped || gzipped) {
		return fmt.Errorf("more than %d MiB, packed: no report is that large", maxPacked>>20)
	}
	switch {
	case zipped:
		return readZip(packed, verified, yield)
	case gzipped:
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		return Read(z, verified, yield)
	}
	return Read(io.MultiReader(bytes.NewReader(packed), r), verified, yield)
}

// readZip reads the reports in a zip. Names within it are never used as paths.
func readZip(packed []byte, verified bool, yield func(signals.Record) bool) error {
	if n := bytes.Count(packed, []byte("PK\x01\x02")); n > maxFiles {
		return fmt.Errorf("zip of %d files: no report comes so", n)
	}
	z, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return fmt.Errorf("zip: %w", err)
	}
	found := false
	for _, f := range z.File {
		if !strings.HasSuffix(strings.ToLower(f.Name), ".xml") {
			continue
		}
		found = true
		in, err := f.Open()
		if err != nil {
			return fmt.Errorf("zip, %.80q: %w", f.Name, err)
		}
		err = Read(in, verified, yield)
		in.Close()
		if err != nil {
			return fmt.Errorf("zip, %.80q: %w", f.Name, err)
		}
	}
	if !found {
		return errors.New("zip without a file that ends in .xml")
	}
	return nil
}
