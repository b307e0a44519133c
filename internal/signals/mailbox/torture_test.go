//go:build torture

package mailbox

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"repute/internal/realmta"
)

// TestTortureFolder reads a folder of 100,000 mails from a real server, with
// an interruption each 30,000: each mail comes once, and memory stays small.
func TestTortureFolder(t *testing.T) {
	d := realmta.StartDovecot(t, map[string]string{"seed": "right horse"})
	const mails = 100_000
	for i := range mails - 1 {
		writeMail(t, d, i)
		if i == 0 {
			d.Deliver(t, "seed", "", "1763900000.first", "Subject: first\r\n\r\nbody\r\n")
		}
	}
	d.Deliver(t, "seed", "", "1763999999.last", "Subject: last\r\n\r\nbody\r\n")
	var mark Mark
	var n, most uint64
	stop := errors.New("enough")
	start := time.Now()
	for {
		a := account(t, d, "seed", "right horse")
		a.Headers, a.Timeout = true, 2*time.Minute
		box, err := a.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := n
		mark, err = box.Read(t.Context(), Folder{Name: "INBOX"}, mark, func(m Message) error {
			if n-before == 30_000 {
				return stop
			}
			n++
			if n%10_000 == 0 {
				var mem runtime.MemStats
				runtime.ReadMemStats(&mem)
				most = max(most, mem.HeapInuse)
			}
			_, err := io.Copy(io.Discard, m.Body)
			return err
		})
		box.Close()
		if err == nil {
			break
		}
		if !errors.Is(err, stop) {
			t.Fatal(err)
		}
	}
	t.Logf("%d mails in %v, heap at most %d MiB", n, time.Since(start).Round(100*time.Millisecond), most>>20)
	if n != mails+1 {
		t.Errorf("%d mails of %d", n, mails+1)
	}
}
