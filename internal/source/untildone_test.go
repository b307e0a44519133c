package source

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestUntilDone(t *testing.T) {
	const text = "a line\nanother\n"
	if err := iotest.TestReader(UntilDone(t.Context(), strings.NewReader(text)), []byte(text)); err != nil {
		t.Error(err)
	}
	quiet, in := io.Pipe()
	defer in.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r := UntilDone(ctx, quiet)
	go func() {
		_, _ = in.Write([]byte("x")) // returns once it is read
		cancel()
	}()
	got, err := io.ReadAll(r)
	if len(got) > 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%q, %v", got, err)
	}
}
