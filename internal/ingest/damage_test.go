package ingest

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
)

// TestDamage reads a compressed log that is cut off or has a few wrong bytes,
// then the whole one: what was whole before the damage is kept, the damage is
// told, and of the good copy only what is missing counts.
func TestDamage(t *testing.T) {
	const lines = 8000
	text := []byte(mailLines(0, lines))
	for _, name := range []string{"mail.log.gz", "mail.log.zst", "mail.log.xz", "mail.log.bz2"} {
		whole := compressed(t, name, text)
		for _, at := range []int{30, len(whole) * 2 / 3, len(whole) - 3} {
			cut := whole[:at]
			wrong := bytes.Clone(whole)
			copy(wrong[at-3:], "XYZ")
			for what, bytes := range map[string][]byte{"cut off": cut, "wrong bytes": wrong} {
				cab := newCabin(t)
				cab.o.BatchLines = 3000
				cab.put(name, bytes)
				kept := cab.readDamaged(name)
				cab.put("good"+filepath.Ext(name), whole)
				rest := cab.read("good" + filepath.Ext(name))
				if what == "cut off" && kept+rest != lines || kept+rest < lines || kept+rest > lines+lines/200 {
					t.Errorf("%s, %s at %d of %d: %d attempts, then %d of the whole one; want %d", name, what, at, len(whole), kept, rest, lines)
				}
				t.Logf("%s, %s at %d of %d: %d kept, then %d: %d of %d", name, what, at, len(whole), kept, rest, kept+rest, lines)
				cab.readDamaged(name)
				cab.holds(kept + rest)
			}
		}
	}
}

// readDamaged ingests a file whose damage must be told, and returns how many
// attempts were kept.
func (c *cabin) readDamaged(name string) int64 {
	c.t.Helper()
	r, err := Run(context.Background(), []string{filepath.Join(c.dir, name)}, c.o)
	if err != nil {
		c.t.Fatal(err)
	}
	if r.Files[0].Err == nil {
		c.t.Errorf("%s: the damage is not told", name)
	}
	return r.Total().Attempts
}

// TestGrowingGzip reads a .gz while it is being written.
func TestGrowingGzip(t *testing.T) {
	cab := newCabin(t)
	whole := compressed(t, "mail.log.1.gz", []byte(mailLines(0, 5000)))
	total := int64(0)
	for part := range 4 {
		cab.put("mail.log.1.gz", whole[:len(whole)*(part+1)/5])
		n := cab.readDamaged("mail.log.1.gz")
		if n == 0 {
			t.Errorf("part %d: nothing new", part)
		}
		total += n
	}
	cab.put("mail.log.1.gz", whole)
	if total += cab.read("mail.log.1.gz"); total != 5000 {
		t.Errorf("%d attempts, want 5000", total)
	}
	cab.holds(5000)
	// And whole ones put behind each other, as cat does.
	cab.put("members.gz", bytes.Join([][]byte{whole, compressed(t, ".gz", []byte(mailLines(5000, 5100))), compressed(t, ".gz", []byte(mailLines(5100, 5200)))}, nil))
	if n := cab.read("members.gz"); n != 200 {
		t.Errorf("%d new attempts in a file of three members, want 200", n)
	}
}
