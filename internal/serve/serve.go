// Package serve lends a database that one process owns to the commands of
// others. DuckDB lets only one process open a file; `repute follow` is that
// one, and answers reading commands over a Unix socket beside the database.
//
// The protocol is one JSON object a line: a Request, then Frames until one
// carries the exit status.
package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// Request is a command line.
type Request struct {
	Args []string `json:"args"`
}

// Frame is a piece of a command's result.
type Frame struct {
	Out    []byte `json:"out,omitempty"`  // for standard output
	Err    []byte `json:"err,omitempty"`  // for standard error
	File   string `json:"file,omitempty"` // a file to write, as the command line named it
	Data   []byte `json:"data,omitempty"` // its content
	Status *int   `json:"status,omitempty"`
}

// Reply takes a command's results.
type Reply struct {
	mu  sync.Mutex
	out *json.Encoder
	err error
}

func (r *Reply) send(f Frame) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = r.out.Encode(f)
	}
	return r.err
}

type frameWriter struct {
	reply *Reply
	frame func([]byte) Frame
}

func (w *frameWriter) Write(b []byte) (int, error) {
	if err := w.reply.send(w.frame(b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Out is the command's standard output.
func (r *Reply) Out() io.Writer {
	return &frameWriter{r, func(b []byte) Frame { return Frame{Out: b} }}
}

// Err is the command's standard error.
func (r *Reply) Err() io.Writer {
	return &frameWriter{r, func(b []byte) Frame { return Frame{Err: b} }}
}

// File hands over a file: it is the asker who may write there.
func (r *Reply) File(path string, data []byte) error { return r.send(Frame{File: path, Data: data}) }

// Handler runs a command and returns its exit status.
type Handler func(ctx context.Context, args []string, r *Reply) int

const (
	maxRequest = 64 << 10 // bytes
	maxAtOnce  = 4        // commands
	patience   = 5 * time.Second
)

// Fits tells whether the system takes a path of that length for a socket: it
// takes far longer ones for files.
func Fits(path string) error {
	most := len(syscall.RawSockaddrUnix{}.Path) - 1
	if len(path) <= most {
		return nil
	}
	return fmt.Errorf("%q is too long for the socket beside the database: %d bytes, the system takes %d; put the database where its path is shorter, or start repute in its folder and name only the file",
		path, len(path), most)
}

// Listen makes the socket, for its owner alone. A socket that a killed process
// left behind is replaced, one that answers is not.
func Listen(path string) (net.Listener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("%s: another process serves there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path) // the umask is 077
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Serve answers until the context ends, then waits for the commands under way.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var under sync.WaitGroup
	defer under.Wait()
	slots := make(chan struct{}, maxAtOnce)
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		under.Go(func() {
			defer c.Close()
			slots <- struct{}{}
			defer func() { <-slots }()
			answer(ctx, c, h)
		})
	}
}

func answer(ctx context.Context, c net.Conn, h Handler) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	var req Request
	if err := json.NewDecoder(io.LimitReader(c, maxRequest)).Decode(&req); err != nil {
		return
	}
	_ = c.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // an asker who has gone away ends the command
		_, _ = c.Read(make([]byte, 1))
		cancel()
	}()
	r := &Reply{out: json.NewEncoder(c)}
	status := h(ctx, req.Args, r)
	_ = r.send(Frame{Status: &status})
}

// ErrNobody tells that nobody serves at the socket.
var ErrNobody = errors.New("nobody serves there")

// Ask runs a command line in the process that serves at the socket, and copies
// what it prints. file is called for each file that the command writes.
func Ask(ctx context.Context, path string, args []string, out, errOut io.Writer, file func(path string, data []byte) error) (status int, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if err := json.NewEncoder(c).Encode(Request{Args: args}); err != nil {
		return 0, err
	}
	in := json.NewDecoder(bufio.NewReader(c))
	for {
		var f Frame
		if err := in.Decode(&f); err != nil {
			return 0, fmt.Errorf("the process that serves at %s broke off: %w", path, err)
		}
		switch {
		case f.Status != nil:
			return *f.Status, nil
		case f.File != "":
			err = file(f.File, f.Data)
		case len(f.Err) > 0:
			_, err = errOut.Write(f.Err)
		default:
			_, err = out.Write(f.Out)
		}
		if err != nil {
			return 0, err
		}
	}
}
