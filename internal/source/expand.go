// Package source turns paths into streams of whole lines: files, folders and
// globs; plain, gzip, zstd, xz or bzip2; rotated sets in their order; and
// tells a stream again by its contents, whatever its name is now.
package source

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Expand turns arguments into files: folders into the regular files in them,
// globs into their matches. Rotated sets come oldest first. What can't be
// read is in the errors; the rest goes on.
func Expand(args []string) (files []string, errs []error) {
	seen := map[string]bool{}
	add := func(path string) {
		if !seen[path] {
			seen[path] = true
			files = append(files, path)
		}
	}
	for _, arg := range args {
		if arg == Stdin {
			add(arg)
			continue
		}
		paths := []string{arg}
		if _, err := os.Lstat(arg); errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(arg, "*?[") {
			matches, err := filepath.Glob(arg)
			if err != nil || len(matches) == 0 {
				errs = append(errs, fmt.Errorf("%q matches no file", arg))
				continue
			}
			paths = matches
		}
		for _, p := range paths {
			found, err := regular(p)
			if err != nil {
				errs = append(errs, err)
			}
			for _, f := range found {
				add(f)
			}
		}
	}
	slices.SortStableFunc(files, oldestFirst)
	return files, errs
}

// regular returns path if it is a regular file, or the regular files in it.
func regular(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, plain(err, path)
	}
	if !info.IsDir() {
		if !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%q is not a regular file (%s)", path, info.Mode().Type())
		}
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, plain(err, path)
	}
	var files []string
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			files = append(files, name)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%q holds no file", path)
	}
	return files, nil
}

// plain says what is wrong with a path without the system call's name.
func plain(err error, path string) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Errorf("%q: %w", path, pe.Err)
	}
	return fmt.Errorf("%q: %w", path, err)
}
