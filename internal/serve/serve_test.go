package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, h Handler) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return path
}

func TestAsk(t *testing.T) {
	path := start(t, func(_ context.Context, args []string, r *Reply) int {
		fmt.Fprintf(r.Out(), "out %v\n", args)
		fmt.Fprintf(r.Err(), "err\n")
		if err := r.File("report.html", []byte("<p>\x00")); err != nil {
			t.Error(err)
		}
		return 3
	})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the socket's mode: %v %v", info.Mode(), err)
	}
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			var out, errOut bytes.Buffer
			files := ""
			status, err := Ask(t.Context(), path, []string{"scores", fmt.Sprint(i)}, &out, &errOut, func(name string, data []byte) error {
				files += name + string(data)
				return nil
			})
			if err != nil || status != 3 || out.String() != fmt.Sprintf("out [scores %d]\n", i) || errOut.String() != "err\n" || files != "report.html<p>\x00" {
				t.Errorf("%d %v %q %q %q", status, err, out.String(), errOut.String(), files)
			}
		})
	}
	wg.Wait()
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second server: %v", err)
	}
}

func TestNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Ask(t.Context(), path, nil, nil, nil, nil); !errors.Is(err, ErrNobody) {
		t.Errorf("no socket: %v", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close() // as after a kill
	if _, err := Ask(t.Context(), path, nil, nil, nil, nil); !errors.Is(err, ErrNobody) {
		t.Errorf("a socket that was left behind: %v", err)
	}
	fresh, err := Listen(path)
	if err != nil {
		t.Errorf("it is not replaced: %v", err)
	} else {
		fresh.Close()
	}
}

// TestAskerGoes ends the command whose asker went away, and nonsense is no
// command.
func TestAskerGoes(t *testing.T) {
	ended := make(chan struct{})
	path := start(t, func(ctx context.Context, _ []string, _ *Reply) int {
		<-ctx.Done()
		close(ended)
		return 0
	})
	nonsense, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(nonsense, "GET / HTTP/1.1")
	nonsense.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, _ = Ask(ctx, path, []string{"x"}, nil, nil, nil) }()
	time.AfterFunc(50*time.Millisecond, cancel)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the command goes on without its asker")
	}
}

// TestFits listens at the longest path that fits.
func TestFits(t *testing.T) {
	t.Chdir(t.TempDir())
	path := strings.Repeat("s", len(syscall.RawSockaddrUnix{}.Path)-1)
	l, err := Listen(path)
	if err != nil || Fits(path) != nil {
		t.Fatal(err, Fits(path))
	}
	l.Close()
	if l, err := Listen(path + "s"); err == nil || Fits(path+"s") == nil {
		t.Error(l, "one byte more is no fault")
	}
}
