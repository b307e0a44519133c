package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// Account is a mailbox on an IMAP server.
type Account struct {
	Host     string
	Port     int
	TLS      TLS
	CAs      *x509.CertPool // nil: the system's
	User     string
	Password string
	Timeout  time.Duration // of each step, not of the whole
	Headers  bool          // fetch the mails' headers only
}

// TLS is how the connection is protected.
type TLS int

// From the first byte (port 993), after STARTTLS, or not at all: that only to
// this machine.
const (
	Implicit TLS = iota
	StartTLS
	Plain
)

// Mark is how far a folder was read: mails come with ever higher UIDs as long
// as its validity stays the same (RFC 9051 section 2.3.1.1).
type Mark struct{ Validity, UID uint32 }

// String and ParseMark are the form in which marks are kept.
func (m Mark) String() string { return fmt.Sprintf("%d:%d", m.Validity, m.UID) }

// ParseMark reads what String wrote; the zero Mark from anything else.
func ParseMark(s string) (m Mark) {
	if _, err := fmt.Sscanf(s, "%d:%d", &m.Validity, &m.UID); err != nil {
		return Mark{}
	}
	return m
}

// Folder is a folder of an account.
type Folder struct {
	Name string
	Junk bool
}

// Box is an open mailbox: what the importers need of one.
type Box interface {
	// Folders lists the folders that can hold mail.
	Folders() ([]Folder, error)
	// Read calls yield for each mail after a mark, lowest UID first, and
	// returns the mark after the last one that yield took, also with an error.
	Read(ctx context.Context, f Folder, since Mark, yield func(Message) error) (Mark, error)
	Close() error
}

// Open connects and logs in. Errors name host and user, never the password.
func (a *Account) Open(ctx context.Context) (Box, error) {
	address := net.JoinHostPort(a.Host, strconv.Itoa(a.Port))
	fail := func(what string, err error) error {
		return fmt.Errorf("imap %s as %s: %s: %w", address, a.User, what, err)
	}
	d := net.Dialer{Timeout: a.Timeout}
	raw, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fail("connecting", err)
	}
	conn := &patient{Conn: raw, timeout: a.Timeout}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	client, err := a.greet(conn)
	if err == nil {
		if err = client.Login(a.User, a.Password).Wait(); err != nil {
			err = fmt.Errorf("login refused: %w", err)
		}
	}
	if err != nil {
		stop()
		_ = raw.Close()
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, fail("log in", err)
	}
	return &box{client: client, account: a, stop: stop, fail: fail}, nil
}

// greet makes a client on a protected connection.
func (a *Account) greet(conn net.Conn) (*imapclient.Client, error) {
	config := &tls.Config{ServerName: a.Host, RootCAs: a.CAs, MinVersion: tls.VersionTLS12}
	switch a.TLS {
	case Implicit:
		secured := tls.Client(conn, config)
		if err := secured.Handshake(); err != nil {
			return nil, err
		}
		conn = secured
	case StartTLS:
		return imapclient.NewStartTLS(conn, &imapclient.Options{TLSConfig: config})
	}
	client := imapclient.New(conn, nil)
	return client, client.WaitGreeting()
}

// patient is a connection on which each read and write may take so long, but
// no longer.
type patient struct {
	net.Conn
	timeout time.Duration
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.SetReadDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Read(b)
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.SetWriteDeadline(time.Now().Add(p.timeout)); err != nil {
		return 0, err
	}
	return p.Conn.Write(b)
}

type box struct {
	client  *imapclient.Client
	account *Account
	stop    func() bool
	fail    func(string, error) error
}

func (b *box) Close() error {
	b.stop()
	_ = b.client.Logout().Wait()
	return b.client.Close()
}

func (b *box) Folders() ([]Folder, error) {
	list, err := b.client.List("", "*", nil).Collect()
	if err != nil {
		return nil, b.fail("listing folders", err)
	}
	var out []Folder
	for _, l := range list {
		if !slices.Contains(l.Attrs, imap.MailboxAttrNoSelect) && !slices.Contains(l.Attrs, imap.MailboxAttrNonExistent) {
			out = append(out, Folder{Name: l.Mailbox, Junk: slices.Contains(l.Attrs, imap.MailboxAttrJunk)})
		}
	}
	return out, nil
}

// uidsAtOnce is how many UIDs one FETCH asks for.
const uidsAtOnce = 500

func (b *box) Read(ctx context.Context, f Folder, since Mark, yield func(Message) error) (Mark, error) {
	state, err := b.client.Select(f.Name, &imap.SelectOptions{ReadOnly: true}).Wait()
	if err != nil {
		return since, b.fail(fmt.Sprintf("folder %q", f.Name), err)
	}
	mark := Mark{Validity: state.UIDValidity}
	if since.Validity == mark.Validity {
		mark.UID = since.UID
	}
	if state.NumMessages == 0 {
		return mark, nil
	}
	uids, err := b.after(mark)
	if err != nil {
		return mark, b.fail(fmt.Sprintf("folder %q", f.Name), err)
	}
	for chunk := range slices.Chunk(uids, uidsAtOnce) {
		if ctx.Err() != nil {
			return mark, ctx.Err()
		}
		if mark, err = b.fetch(f, chunk, mark, yield); err != nil {
			return mark, err
		}
	}
	return mark, nil
}

// after lists the UIDs above a mark, in order.
func (b *box) after(mark Mark) ([]imap.UID, error) {
	set := imap.UIDSet{}
	set.AddRange(imap.UID(mark.UID+1), 0) // 0 stands for *
	found, err := b.client.UIDSearch(&imap.SearchCriteria{UID: []imap.UIDSet{set}}, nil).Wait()
	if err != nil {
		return nil, err
	}
	uids := slices.DeleteFunc(found.AllUIDs(), func(u imap.UID) bool { return uint32(u) <= mark.UID }) // n:* names the last one always
	slices.Sort(uids)
	return uids, nil
}

func (b *box) fetch(f Folder, uids []imap.UID, mark Mark, yield func(Message) error) (Mark, error) {
	section := &imap.FetchItemBodySection{Peek: true, Partial: &imap.SectionPartial{Size: maxMail}}
	if b.account.Headers {
		section = &imap.FetchItemBodySection{Peek: true, Specifier: imap.PartSpecifierHeader}
	}
	cmd := b.client.Fetch(imap.UIDSetNum(uids...), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
	var stopped error
	for {
		data := cmd.Next()
		if data == nil {
			break
		}
		uid, body, err := mail(data)
		if err != nil {
			_ = cmd.Close()
			return mark, b.fail(fmt.Sprintf("folder %q", f.Name), err)
		}
		if stopped != nil || uid == 0 {
			continue // what is under way must be taken off the line
		}
		name := fmt.Sprintf("%s@%s/%s, UID %d", b.account.User, b.account.Host, f.Name, uid)
		if stopped = yield(Message{Name: name, Folder: f.Name, Junk: f.Junk, Body: bytes.NewReader(body)}); stopped == nil {
			mark.UID = max(mark.UID, uint32(uid))
		}
	}
	if err := cmd.Close(); err != nil {
		return mark, errors.Join(stopped, b.fail(fmt.Sprintf("folder %q", f.Name), err))
	}
	return mark, stopped
}

func mail(data *imapclient.FetchMessageData) (uid imap.UID, body []byte, err error) {
	for {
		item := data.Next()
		switch item := item.(type) {
		case nil:
			return uid, body, nil
		case imapclient.FetchItemDataUID:
			uid = item.UID
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			if body, err = io.ReadAll(io.LimitReader(item.Literal, maxMail)); err != nil {
				return uid, body, err
			}
		}
	}
}
