package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"time"
)

// Repair makes a database that does not open openable: it mends blocks, or
// puts a damaged log of changes aside and keeps what is whole before the
// damage, or nothing of it; if that does not help it puts the database itself
// aside. It tells what it did; what is then missing is read again from the logs.
func Repair(ctx context.Context, path string, o Options) (done []string, err error) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%q is no file: not touched", path))
	}
	s, err := Open(ctx, path, o)
	var damaged *DamagedError
	readable := true
	switch {
	case err == nil:
		faults, err := s.unreadable(ctx)
		readable = len(faults) == 0
		if err = errors.Join(err, s.Close()); err != nil || readable {
			return nil, err
		}
		done = append(done, faults...)
	case !errors.As(err, &damaged):
		return nil, err
	default:
		if done, err := mendBlocks(ctx, path, o, damaged); err != nil || len(done) > 0 {
			return done, err
		}
	}
	aside := func(name string) error {
		to := name + ".damaged-" + strconv.FormatInt(time.Now().Unix(), 10)
		if err := os.Rename(name, to); err != nil {
			return err
		}
		done = append(done, fmt.Sprintf("%s is put aside as %s", name, to))
		return nil
	}
	if _, err := os.Stat(path + ".wal"); err == nil && readable {
		changes, err := wholeChanges(path+".wal", damaged)
		if err != nil {
			return done, err
		}
		if err := aside(path + ".wal"); err != nil {
			return done, err
		}
		if how, err := openWith(ctx, path, o, changes); err != nil || how != "" {
			return append(done, how), err
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return done, err
	}
	for _, name := range []string{path + ".wal", path} { // its changes fit no other database
		if err := aside(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return done, err
		}
	}
	return append(done, "the database itself is damaged; a new one is made when logs are read"), nil
}

// openWith opens a database whose log of changes was put aside, with what is
// whole of it or with nothing. It tells how; nothing if neither helps.
func openWith(ctx context.Context, path string, o Options, changes []byte) (how string, err error) {
	if len(changes) > 0 {
		if err := os.WriteFile(path+".wal", changes, 0o600); err != nil {
			return "", err
		}
		if s, err := Open(ctx, path, o); err == nil {
			return "the database opens again, with the changes before the damage", s.Close()
		}
		if err := os.Remove(path + ".wal"); err != nil {
			return "", err
		}
	}
	if s, err := Open(ctx, path, o); err == nil {
		return "the database opens again, at the last checkpoint", s.Close()
	}
	return "", nil
}

// damagedEntry is what DuckDB says of an entry of the log of changes that is
// not as it was written. The position is after the entry's length and its
// checksum, eight bytes each.
var damagedEntry = regexp.MustCompile(`Corrupt WAL file: entry at byte position (\d+)`)

// wholeChanges are the entries of a log of changes before the damaged one. Of a
// transaction that is not whole DuckDB takes nothing. After a power cut the
// damage is in what was not synced yet; then all that was is kept.
func wholeChanges(wal string, damaged *DamagedError) ([]byte, error) {
	if damaged == nil {
		return nil, nil
	}
	m := damagedEntry.FindStringSubmatch(damaged.Error())
	if m == nil {
		return nil, nil
	}
	changes, err := os.ReadFile(wal)
	if err != nil {
		return nil, err
	}
	position, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || position < 16 || position > int64(len(changes)) {
		return nil, nil // not what we take it for
	}
	return changes[:position-16], nil
}
