package main

import (
	"errors"
	"os/exec"
	"strconv"
)

// exitWord is an exit status as the scripts write it.
func exitWord(err error) string {
	var e *exec.ExitError
	if errors.As(err, &e) {
		return strconv.Itoa(e.ExitCode())
	}
	return err.Error()
}
