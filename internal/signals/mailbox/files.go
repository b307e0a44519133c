// Package mailbox reads mails from where reports and seeds arrive: files,
// folders of files, Maildir, mbox, and mailboxes over IMAP.
package mailbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Message is one mail.
type Message struct {
	Name   string // for errors: a path, with mbox a number, or a folder and UID
	Folder string // the folder it lies in, by the mailbox's own name
	Junk   bool   // the mailbox marks the folder as the spam folder (RFC 6154)
	Body   io.Reader
}

// maxMail bounds one mail in bytes. Larger ones are cut there: a report's
// parts stand at its start.
const maxMail = 32 << 20

// Files calls yield for each mail in the files and folders named, in order of
// their names. A file that can't be read calls fail, and the rest goes on. It
// stops with the error that yield returns.
func Files(paths []string, yield func(Message) error, fail func(error)) error {
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				fail(err)
				return nil
			case d.IsDir() && d.Name() == "tmp" && path != root:
				return fs.SkipDir // of a Maildir: mails that are being written
			case d.IsDir():
				return nil
			case path != root && strings.HasPrefix(d.Name(), "."), strings.HasPrefix(d.Name(), "dovecot"):
				return nil
			}
			return file(path, yield, fail)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func file(path string, yield func(Message) error, fail func(error)) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		fail(err)
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		fail(err)
		return nil
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 64<<10)
	if start, _ := in.Peek(5); string(start) == "From " {
		return mbox(path, in, yield)
	}
	return yield(Message{Name: path, Folder: folderOf(path), Body: io.LimitReader(in, maxMail)})
}

// folderOf names the folder of a mail in a Maildir++: ".Junk/cur/…" is Junk,
// and the mailbox's own cur and new are the INBOX.
func folderOf(path string) string {
	dir := filepath.Dir(path)
	if base := filepath.Base(dir); base != "cur" && base != "new" {
		return base
	}
	box := filepath.Base(filepath.Dir(dir))
	if name, ok := strings.CutPrefix(box, "."); ok && name != "" {
		return name
	}
	if name := filepath.Base(filepath.Dir(dir)); len(name) > 0 && name[0] >= 'A' && name[0] <= 'Z' && !strings.EqualFold(name, "Maildir") {
		return name // Maildir in folders of the file system
	}
	return "INBOX"
}

// mbox parts a file of mails at the lines "From …" that follow an empty line
// (RFC 4155 appendix A).
func mbox(path string, in *bufio.Reader, yield func(Message) error) error {
	n := 0
	var mail bytes.Buffer
	flush := func() error {
		if mail.Len() == 0 {
			return nil
		}
		n++
		return yield(Message{
			Name: fmt.Sprintf("%s, mail %d", path, n), Folder: strings.TrimSuffix(filepath.Base(path), ".mbox"),
			Body: bytes.NewReader(mail.Bytes()),
		})
	}
	empty, whole := true, true
	for {
		line, err := in.ReadSlice('\n')
		starts := whole && empty && bytes.HasPrefix(line, []byte("From "))
		if starts {
			if err := flush(); err != nil {
				return err
			}
			mail.Reset()
		} else if mail.Len()+len(line) <= maxMail {
			if whole && bytes.HasPrefix(line, []byte(">From ")) {
				mail.Write(line[1:])
			} else {
				mail.Write(line)
			}
		}
		if whole {
			empty = len(bytes.TrimRight(line, "\r\n")) == 0
		}
		whole = !errors.Is(err, bufio.ErrBufferFull)
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil && whole {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
}
