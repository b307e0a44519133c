package ingest

import (
	"encoding/binary"
	"hash/fnv"
	"testing"
)

// TestHash: the hashes that are in databases already must be found again.
func TestHash(t *testing.T) {
	for _, key := range []string{"", "k", "0123456789abcdef0123456789abcdef"} {
		for _, text := range []string{"a", "kana@example.jp", "\xff\x00"} {
			h := fnv.New64a()
			h.Write([]byte(key + text))
			var n [8]byte
			binary.LittleEndian.PutUint64(n[:], h.Sum64())
			h.Write(n[:])
			if got := Hash([]byte(key), []byte(text)); got != h.Sum64()>>24 {
				t.Errorf("key %q, text %q: %x, want %x", key, text, got, h.Sum64()>>24)
			}
		}
	}
	if Hash([]byte("k"), nil) != 0 {
		t.Error("no text has a hash")
	}
}
