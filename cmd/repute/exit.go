package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// The exit statuses; `repute help` and README list them.
const (
	exitOK          = 0
	exitPartial     = 1 // some inputs failed, the others are done
	exitUsage       = 2
	exitNothing     = 3  // nothing recognised
	exitIO          = 74 // damaged store or I/O, as sysexits' EX_IOERR
	exitTryAgain    = 75 // locked, disk full, as sysexits' EX_TEMPFAIL
	exitInterrupted = 130
)

// exitError is an error that knows its exit status. An empty text means that
// all was said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func withStatus(status int, err error) error { return &exitError{status, err} }

func quiet(err error) bool {
	var e *exitError
	return errors.As(err, &e) && e.err == nil
}

// exitStatus maps an error to the promised number.
func exitStatus(ctx context.Context, err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &e):
		return e.status
	case errors.Is(err, syscall.ENOSPC), strings.Contains(err.Error(), "No space left on device"): // DuckDB's words
		return exitTryAgain
	case errors.Is(err, syscall.EIO), broken(err):
		return exitIO
	case isCobraUsage(err):
		return exitUsage
	case errors.As(err, new(*fs.PathError)):
		return exitIO
	}
	return exitPartial
}

// broken recognises DuckDB's words for a disk or a file that fails.
func broken(err error) bool {
	for _, words := range []string{"Input/output error", "Corrupt database file", "FATAL Error", "IO Error"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// isCobraUsage recognises the errors that cobra makes itself; it has no type
// for them.
func isCobraUsage(err error) bool {
	for _, start := range []string{"unknown command", "accepts ", "requires at least", "required flag", "invalid argument", "if any flags in the group"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}
