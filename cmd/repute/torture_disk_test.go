//go:build torture

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// disk is what a program did to the files of one folder, in order, as strace
// saw it. From that the folder can be made as a power cut may leave it.
type disk struct {
	t      *testing.T
	folder string
	ops    []diskOp
	names  map[string]*diskFile // now
	begun  map[string]begun     // calls that have not come back yet, by thread
}

type diskFile struct{ size int64 }

// begun is the start of a call that another thread's call came into.
type begun struct {
	text string
	ops  int
}

type diskKind int

const (
	fileMade diskKind = iota
	fileWritten
	fileCut // at offset
	fileSynced
	folderSynced
	fileRenamed // name to newName
	fileUnlinked
	acknowledged // the program ended well: what it read is promised to be there
)

type diskOp struct {
	kind          diskKind
	file          *diskFile
	name, newName string
	offset        int64
	data          []byte
	covers        int   // what a sync covers: the ops before it began
	lines         int64 // what an acknowledgement promises
}

// calls are all that may change a file or a folder. Those that record does not
// know are errors there.
const calls = "open,openat,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,msync,mmap,ftruncate,truncate,fallocate," +
	"rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,copy_file_range,sendfile,io_uring_setup"

// traced runs a command under strace, which writes to the file trace.
func traced(c *exec.Cmd, trace string) *exec.Cmd {
	args := []string{"-f", "-qq", "-y", "-xx", "-s", "8000000", "-o", trace, "-e", "trace=" + calls, "-e", "signal=none"}
	return exec.Command("strace", append(args, c.Args...)...)
}

// record adds what a trace tells.
func (d *disk) record(trace string) {
	d.t.Helper()
	f, err := os.Open(trace)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for r := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF {
			return
		}
		if err != nil {
			d.t.Fatal(err)
		}
		if err := d.line(strings.TrimSuffix(line, "\n")); err != nil {
			d.t.Fatalf("%v: %.300s", err, line)
		}
	}
}

// line takes one line of strace, "PID call(args) = result". A call that began
// before another's end stands in two: it took effect at its end, but a sync is
// sure only of what was there when it began.
func (d *disk) line(line string) error {
	thread, text, _ := strings.Cut(line, " ")
	text = strings.TrimLeft(text, " ")
	since := len(d.ops)
	if head, ok := strings.CutSuffix(text, " <unfinished ...>"); ok {
		d.begun[thread] = begun{head, since}
		return nil
	}
	if _, rest, ok := strings.Cut(text, " resumed>"); ok && strings.HasPrefix(text, "<... ") {
		text, since = d.begun[thread].text+rest, d.begun[thread].ops
	}
	call, rest, ok := strings.Cut(text, "(")
	end := strings.LastIndex(rest, ") ")
	if !ok || end < 0 {
		return nil // the end of a thread
	}
	result := strings.TrimLeft(rest[end+2:], " =")
	if strings.HasPrefix(result, "-") || strings.HasPrefix(result, "?") {
		return nil // it failed
	}
	args := strings.Split(rest[:end], ", ")
	return d.call(call, args, result, since)
}

func (d *disk) call(call string, args []string, result string, since int) error {
	switch call {
	case "rename", "unlink":
		return d.folderCall(args)
	case "renameat", "unlinkat":
		var paths []string
		for _, a := range args {
			if strings.HasPrefix(a, `"`) {
				paths = append(paths, a)
			}
		}
		return d.folderCall(paths)
	case "open", "openat":
		return d.open(args, result)
	}
	path, name := d.descriptor(args[0])
	file := d.names[name]
	switch {
	case path == d.folder && call == "fsync":
		d.ops = append(d.ops, diskOp{kind: folderSynced, covers: since})
	case name != "" && file != nil && (call == "fsync" || call == "fdatasync"):
		d.ops = append(d.ops, diskOp{kind: fileSynced, file: file, covers: since})
	case name != "" && file != nil && (call == "write" || call == "pwrite64"):
		data, err := unquote(args[1])
		if err != nil {
			return err
		}
		at := file.size // all that is written without an offset is appended: see open
		if call == "pwrite64" {
			if at, err = strconv.ParseInt(args[3], 10, 64); err != nil {
				return err
			}
		}
		if result != strconv.Itoa(len(data)) {
			return fmt.Errorf("written in part")
		}
		file.size = max(file.size, at+int64(len(data)))
		d.ops = append(d.ops, diskOp{kind: fileWritten, file: file, offset: at, data: data})
	case name != "" && file != nil && call == "ftruncate":
		size, err := strconv.ParseInt(args[1], 10, 64)
		if err != nil {
			return err
		}
		file.size = size
		d.ops = append(d.ops, diskOp{kind: fileCut, file: file, offset: size})
	default:
		// Anything else within the folder is not known here.
		for _, a := range args {
			if path, name := d.descriptor(a); path == d.folder || name != "" {
				return fmt.Errorf("a call that is not known")
			}
			if text, err := unquote(a); err == nil && strings.HasPrefix(string(text), d.folder+"/") {
				return fmt.Errorf("a call that is not known")
			}
		}
	}
	return nil
}

// open notes a file that is made.
func (d *disk) open(args []string, result string) error {
	_, name := d.descriptor(result)
	if name == "" {
		return nil
	}
	flags := strings.Join(args, "|")
	file := d.names[name]
	switch {
	case strings.Contains(flags, "O_TRUNC"), strings.Contains(flags, "O_WRONLY") && !strings.Contains(flags, "O_APPEND"):
		return fmt.Errorf("a way to open that is not known")
	case file == nil && !strings.Contains(flags, "O_CREAT"):
		return fmt.Errorf("a file that nobody made")
	case file == nil:
		file = &diskFile{}
		d.names[name] = file
		d.ops = append(d.ops, diskOp{kind: fileMade, file: file, name: name})
	}
	return nil
}

// folderCall is a rename, of two paths, or an unlink, of one.
func (d *disk) folderCall(quoted []string) error {
	var names []string
	for _, q := range quoted {
		path, err := unquote(q)
		if err != nil {
			return err
		}
		if name, ok := strings.CutPrefix(string(path), d.folder+"/"); ok {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0 || d.names[names[0]] == nil: // elsewhere, or the socket
	case len(names) != len(quoted):
		return fmt.Errorf("a file leaves the folder")
	case len(names) == 2:
		d.ops = append(d.ops, diskOp{kind: fileRenamed, name: names[0], newName: names[1]})
		d.names[names[1]] = d.names[names[0]]
		delete(d.names, names[0])
	default:
		d.ops = append(d.ops, diskOp{kind: fileUnlinked, name: names[0]})
		delete(d.names, names[0])
	}
	return nil
}

// descriptor reads "5<path>"; the name is that within the folder, if it is
// there.
func (d *disk) descriptor(arg string) (path, name string) {
	_, rest, ok := strings.Cut(arg, "<")
	if !ok || arg[0] < '0' || arg[0] > '9' {
		return "", ""
	}
	rest, _, _ = strings.Cut(rest, ">")
	text, err := unhex(rest)
	if err != nil {
		return "", ""
	}
	path = string(text)
	name, ok = strings.CutPrefix(path, d.folder+"/")
	if !ok {
		name = ""
	}
	return path, name
}

func unquote(arg string) ([]byte, error) {
	text, ok := strings.CutPrefix(arg, `"`)
	text, whole := strings.CutSuffix(text, `"`)
	if !ok || !whole {
		return nil, fmt.Errorf("no whole text: %.40s", arg)
	}
	return unhex(text)
}

func unhex(text string) ([]byte, error) { return hex.DecodeString(strings.ReplaceAll(text, `\x`, "")) }

// sector is what a disk writes whole or not at all.
const sector = 512

// cut is where the power fails, and how the file system keeps what was not
// synced.
type cut struct {
	at     int // ops before it
	random *rand.Rand
	keeps  float64 // how much of what was not synced is there: sectors of files, changes of the folder
	// loose: what was not synced is there in any order, but for the changes of
	// one name. A sync of a file is one of its name only, where the file is new
	// (btrfs). Without it a file grows in order, and so do a folder's changes; those
	// before a sync of any file are there with it (ext4, XFS).
	loose bool
}

// after is the folder after a power cut, and how many lines are promised to be
// in the database.
func (d *disk) after(c cut) (files map[string][]byte, promised int64) {
	ops := d.ops[:c.at]
	synced := map[*diskFile]int{}           // the ops before it are there
	folder, made := 0, map[*diskFile]bool{} // its name is there
	for _, op := range ops {
		switch {
		case op.kind == acknowledged:
			promised = op.lines
		case op.kind == fileSynced:
			synced[op.file] = max(synced[op.file], op.covers)
			made[op.file] = true
			if !c.loose {
				folder = max(folder, op.covers)
			}
		case op.kind == folderSynced:
			folder = max(folder, op.covers)
		}
	}
	files = map[string][]byte{}
	for name, file := range namesAfter(ops, folder, made, c) {
		files[name] = contentAfter(ops, file, synced[file], c)
	}
	return files, promised
}

// namesAfter applies what happened to the folder. Of what is not certain, all
// after the first that is lost is lost too: of any name, or if loose of the
// same.
func namesAfter(ops []diskOp, certain int, made map[*diskFile]bool, c cut) map[string]*diskFile {
	names, lost := map[string]*diskFile{}, map[string]bool{}
	for i, op := range ops {
		key, newKey := op.name, op.newName
		if !c.loose {
			key, newKey = "", ""
		}
		switch op.kind {
		case fileMade, fileRenamed, fileUnlinked:
			sure := i < certain || op.kind == fileMade && made[op.file]
			if !sure && (lost[key] || op.kind == fileRenamed && lost[newKey] || c.random.Float64() >= c.keeps) {
				lost[key] = true
				if op.kind == fileRenamed {
					lost[newKey] = true
				}
				continue
			}
		}
		switch op.kind {
		case fileMade:
			names[op.name] = op.file
		case fileRenamed:
			names[op.newName] = names[op.name]
			delete(names, op.name)
		case fileUnlinked:
			delete(names, op.name)
		}
	}
	return names
}

// contentAfter applies what was written to a file: all that was synced, of the
// rest some sectors. A file is as long as what is there of it; the gaps are
// zeros.
func contentAfter(ops []diskOp, file *diskFile, certain int, c cut) []byte {
	content := []byte{}
	put := func(at int64, data []byte) {
		if missing := at + int64(len(data)) - int64(len(content)); missing > 0 {
			content = append(content, make([]byte, missing)...)
		}
		copy(content[at:], data)
	}
	ended := false
	for i, op := range ops {
		switch {
		case op.file != file:
		case op.kind == fileCut && (i < certain || c.random.Float64() < c.keeps):
			content = append(content, make([]byte, max(0, op.offset-int64(len(content))))...)[:op.offset]
		case op.kind == fileWritten && i < certain:
			put(op.offset, op.data)
		case op.kind == fileWritten:
			for at, end := op.offset, op.offset+int64(len(op.data)); at < end; {
				next := min(end, (at/sector+1)*sector)
				grows := at >= int64(len(content))
				if kept := c.random.Float64() < c.keeps; kept && !(grows && ended) {
					put(at, op.data[at-op.offset:next-op.offset])
				} else if grows && !c.loose {
					ended = true
				}
				at = next
			}
		}
	}
	return content
}

// write makes the folder so.
func (d *disk) write(files map[string][]byte) {
	d.t.Helper()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(d.folder, name), content, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}
