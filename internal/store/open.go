// Package store keeps what was read in DuckDB: events, dictionaries, hourly
// evidence, and how far each stream has been read.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/duckdb/duckdb-go/v2"
)

//go:embed schema/*.sql
var schema embed.FS

//go:embed queries/*.sql
var queries embed.FS

// Memory is the path of a database that is kept in memory only.
const Memory = ":memory:"

// Options limit what the database may use. The zero value takes defaults.
type Options struct {
	MemoryLimit int64 // bytes
	Threads     int
	ReadOnly    bool // the file may be another user's, or on a medium that can't be written
	Lasting     bool // open for years, a little at a time: memory is handed back (Tidy)
	Loading     bool // much is written and little asked: one thread, little memory, more where open messages need it
}

// Store is an open database. One process at a time may have it open.
type Store struct {
	path     string
	opts     Options
	borrowed bool       // Close is the owner's
	fresh    bool       // it is being made
	mu       sync.Mutex // over db while a handle is replaced
	db       *sql.DB
	roll     roller // of Commit
	room     int64  // the memory limit as makeRoom raised it
}

// LockedError tells that another process has the database open.
type LockedError struct {
	Path string
	PID  int // 0 if unknown
}

func (e *LockedError) Error() string {
	if e.PID > 0 {
		return fmt.Sprintf("%q is in use by process %d", e.Path, e.PID)
	}
	return fmt.Sprintf("%q is in use by another process", e.Path)
}

// ErrName is the error of a path in which DuckDB would read options.
var ErrName = errors.New("the path of a database may hold no ? and no %")

// DamagedError tells that the database can't be read.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%q is damaged or no repute database: %v; try: repute repair --db %s", e.Path, e.Err, e.Path)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Open opens a database and makes it if it is not there. It brings an older
// schema up to date.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{path: path, opts: o}
	if strings.ContainsAny(path, "?%") {
		return nil, fmt.Errorf("%q: %w", path, ErrName)
	}
	if path != Memory && !o.ReadOnly {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
			if err := create(ctx, path, o); err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, fmt.Errorf("%q: %w", path, err)
		}
	}
	if err := s.connect(ctx); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// create makes a database under another name first: a kill in the middle of
// DuckDB's own creation leaves a file that does not open.
func create(ctx context.Context, path string, o Options) error {
	fresh := path + ".new"
	for _, leftover := range []string{fresh, fresh + ".wal"} {
		if err := os.Remove(leftover); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%q: %w", leftover, err)
		}
	}
	s := &Store{path: fresh, opts: o, fresh: true}
	if err := s.connect(ctx); err != nil {
		return err
	}
	err := s.migrate(ctx)
	if err == nil {
		_, err = s.db.ExecContext(ctx, "CHECKPOINT")
	}
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	if err := os.Chmod(fresh, 0o600); err != nil {
		return err
	}
	if err := syncFile(fresh); err != nil {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

var lockHolder = regexp.MustCompile(`PID (\d+)`)

// layout is how a new file is laid out. Blocks of 64 KiB waste less than
// DuckDB's 256 at the ends of columns, and since 1.4 columns of text and flags
// are packed tighter: together a sixth of the file.
const layout = "?default_block_size=65536&storage_compatibility_version=v1.4.0"

func (s *Store) connect(ctx context.Context) error {
	path := s.path
	switch {
	case path == Memory:
		path = ""
	case s.fresh:
		path += layout
	case s.opts.ReadOnly:
		path += "?access_mode=READ_ONLY"
	}
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		return s.openError(err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(8)
	if _, err := db.ExecContext(ctx, s.settings()); err != nil {
		return errors.Join(s.openError(err), db.Close())
	}
	s.mu.Lock()
	s.db, s.room = db, 0
	s.mu.Unlock()
	return nil
}

// settings close every door that a query could open: files, extensions, the
// network; then lock themselves.
func (s *Store) settings() string {
	threads := s.opts.Threads
	if threads <= 0 {
		threads = 2
		if s.opts.Lasting || s.opts.Loading { // a second one makes a load dearer by a fifth, and no faster
			threads = 1
		}
	}
	set := []string{
		fmt.Sprintf("SET memory_limit='%dB'", s.opts.memoryLimit()),
		fmt.Sprintf("SET threads=%d", threads),
		"SET preserve_insertion_order=false",
		// A checkpoint writes the last rows of every table anew: the default of
		// 16 MB costs a load more time. Until then the rows that came are in
		// memory, uncompressed.
		"SET wal_autocheckpoint='" + map[bool]string{false: "32MB", true: "8MB"}[s.opts.Lasting] + "'",
		"SET autoinstall_known_extensions=false",
		"SET autoload_known_extensions=false",
		"SET allow_community_extensions=false",
	}
	if s.path != Memory && !s.opts.ReadOnly {
		set = append(set, "SET temp_directory='"+strings.ReplaceAll(s.path+".tmp", "'", "''")+"'")
	}
	if s.opts.Lasting {
		set = append(set, lastingSettings)
	}
	if s.opts.Lasting || s.opts.Loading { // Tidy and makeRoom change it
		set = append(set, "SET allowed_configs=['memory_limit']")
	}
	set = append(set, "SET enable_external_access=false", "SET lock_configuration=true")
	return strings.Join(set, ";")
}

func (s *Store) openError(err error) error {
	text := err.Error()
	if strings.Contains(text, "Could not set lock") || strings.Contains(text, "already open") {
		locked := &LockedError{Path: s.path}
		if m := lockHolder.FindStringSubmatch(text); m != nil {
			locked.PID, _ = strconv.Atoi(m[1])
		}
		return locked
	}
	if errors.Is(err, fs.ErrPermission) || strings.Contains(text, "Permission denied") {
		return fmt.Errorf("%q: %w", s.path, fs.ErrPermission)
	}
	for _, disk := range []string{"No space left on device", "Input/output error"} {
		if strings.Contains(text, disk) {
			return fmt.Errorf("%q: %w", s.path, err)
		}
	}
	return &DamagedError{Path: s.path, Err: err}
}

// migrate runs the schema files that the database has not seen, in order.
// Their names are kept: files of several hands may come in any order.
func (s *Store) migrate(ctx context.Context) error {
	names, err := fs.Glob(schema, "schema/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(names)
	seen := map[string]bool{}
	list, err := s.Meta(ctx, "schema")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !strings.Contains(err.Error(), "does not exist"): // the table, in a new database
		return &DamagedError{Path: s.path, Err: err}
	case err == nil:
		if n, err := strconv.Atoi(list); err == nil { // how many of the first there were
			list = strings.Join([]string{"0001_tables", "0030_signal", "0040_outbox", "0050_alert"}[:min(n, 4)], " ")
		}
		for _, name := range strings.Fields(list) {
			if !slices.Contains(names, "schema/"+name+".sql") {
				return fmt.Errorf("%q was written by a newer repute (it has the schema %s, which this one does not know)", s.path, name)
			}
			seen[name] = true
		}
	}
	for _, file := range names {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "schema/"), ".sql")
		if seen[name] {
			continue
		}
		if s.opts.ReadOnly {
			return fmt.Errorf("%q was written by an older repute and can't be written here: let its owner run repute db info once", s.path)
		}
		text, err := schema.ReadFile(file)
		if err != nil {
			return err
		}
		seen[name] = true
		list := strings.Join(slices.Sorted(maps.Keys(seen)), " ")
		if err := s.migration(ctx, string(text), list); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// migration runs a schema file and notes it, both or none.
func (s *Store) migration(ctx context.Context, text, list string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, q := range []string{text, "DELETE FROM meta WHERE key = 'schema'", "INSERT INTO meta VALUES ('schema', '" + list + "')"} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// Meta returns a value kept under a key; an error if there is none.
func (s *Store) Meta(ctx context.Context, key string) (string, error) {
	var v string
	err := s.db.QueryRowContext(ctx, "SELECT value FROM meta WHERE key = ?", key).Scan(&v)
	return v, err
}

// SetMeta keeps a value under a key.
func (s *Store) SetMeta(ctx context.Context, key, value string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", key); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", key, value); err != nil {
		return err
	}
	return tx.Commit()
}

// Lend returns a store on the same database whose Close does nothing: the
// database stays its owner's.
func (s *Store) Lend() *Store {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Store{path: s.path, opts: s.opts, db: s.db, borrowed: true}
}

// Path is where the database is.
func (s *Store) Path() string { return s.path }

// Close closes the database.
func (s *Store) Close() error {
	if s.db == nil || s.borrowed {
		return nil
	}
	return s.db.Close()
}
