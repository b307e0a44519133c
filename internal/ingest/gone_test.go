package ingest

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// heard keeps what is logged.
type heard struct {
	mu   sync.Mutex
	text strings.Builder
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(b)
}

// TestGone: the file that was read last was deleted while nobody read. That it
// may have had more is said; where it was only rotated, nothing is.
func TestGone(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(path string) error
		told bool
	}{
		{"deleted", os.Remove, true},
		{"rotated", func(path string) error { return os.Rename(path, path+".1") }, false},
		{"kept", func(string) error { return nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path, db := filepath.Join(dir, "mail.log"), filepath.Join(dir, "r.duckdb")
			write := func(text string) {
				t.Helper()
				file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				if _, err := file.WriteString(text); err != nil {
					t.Fatal(err)
				}
			}
			var log heard
			listen := func(o *FollowOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }
			if err := os.WriteFile(path+".2", []byte(mailLines(0, 100)), 0o600); err != nil {
				t.Fatal(err)
			}
			write(mailLines(100, 200))
			f := startFollower(t, path, db, map[string]int{}, listen)
			f.await(200)
			f.stop()
			f.store.Close()
			if strings.Contains(log.text.String(), "is gone") {
				t.Errorf("told at the first start: %s", log.text.String())
			}
			if err := c.do(path); err != nil {
				t.Fatal(err)
			}
			write(mailLines(300, 400))
			f = startFollower(t, path, db, f.seen, listen)
			f.await(300)
			f.stop()
			if told := strings.Contains(log.text.String(), "the file that was read last is gone"); told != c.told {
				t.Errorf("told: %v\n%s", told, log.text.String())
			}
			f.store.Close()
		})
	}
}
