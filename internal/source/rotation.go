package source

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Rotation is what a file's name says of its place in a rotated set:
// mail.log, mail.log.1, mail.log.2.gz; maillog-20260105.gz; Postfix's
// maillog.20260105-093000.gz.
type Rotation struct {
	Set  string    // folder and base name: what all files of the set share
	Age  int       // 0 the current one, 1, 2, … older; only where numbered
	Date time.Time // of the rotation, UTC; zero where the name has none
}

var (
	compressed = regexp.MustCompile(`\.(gz|zst|xz|bz2|zstd)$`)
	numbered   = regexp.MustCompile(`^(.+)\.(\d{1,4})$`)
	dated      = regexp.MustCompile(`^(.+?)[-._](\d{4})-?(\d{2})-?(\d{2})(?:[-_T]?\d{2,6})?$`)
)

// RotationOf reads a file's name.
func RotationOf(path string) Rotation {
	dir, name := filepath.Split(path)
	name = compressed.ReplaceAllString(name, "")
	if m := dated.FindStringSubmatch(name); m != nil {
		if date, err := time.Parse("20060102", m[2]+m[3]+m[4]); err == nil {
			return Rotation{Set: dir + m[1], Date: date}
		}
	}
	if m := numbered.FindStringSubmatch(name); m != nil {
		age, _ := strconv.Atoi(m[2])
		return Rotation{Set: dir + m[1], Age: age}
	}
	return Rotation{Set: dir + name}
}

// oldestFirst orders sets by name and each set by age. A dated file is older
// than the current one.
func oldestFirst(a, b string) int {
	ra, rb := RotationOf(a), RotationOf(b)
	if c := strings.Compare(ra.Set, rb.Set); c != 0 {
		return c
	}
	if ra.Date.IsZero() != rb.Date.IsZero() {
		return cmp.Compare(boolInt(ra.Date.IsZero()), boolInt(rb.Date.IsZero()))
	}
	if c := ra.Date.Compare(rb.Date); c != 0 {
		return c
	}
	if c := cmp.Compare(rb.Age, ra.Age); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Compressed tells whether a file's name says that it is compressed.
func Compressed(path string) bool { return compressed.MatchString(path) }

// Rotated lists the files that a log was rotated into, oldest first.
func Rotated(path string) []string {
	set := RotationOf(path).Set
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		name := filepath.Join(filepath.Dir(path), e.Name())
		if name != path && RotationOf(name).Set == set {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, oldestFirst)
	return out
}
