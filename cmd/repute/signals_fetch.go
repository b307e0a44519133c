package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"repute/internal/analysis"
	"repute/internal/config"
	"repute/internal/signals"
	"repute/internal/signals/mailauth"
	"repute/internal/signals/mailbox"
	"repute/internal/signals/public"
	"repute/internal/signals/seed"
)

// trustFor says which reports are believed.
type trustFor struct {
	mail  mailauth.Trust // of those in mails
	files bool           // those in files
}

// trust believes files that the user names, and mails that a host of the
// user's found authentic; with all every one.
func trust(cfg *config.Config, all bool) trustFor {
	t := trustFor{mail: mailauth.Trust(cfg.Signals.Trust), files: true}
	if all {
		t.mail = mailauth.Trust{mailauth.All}
	}
	return t
}

func (a *app) signalsFetchCommand() *cobra.Command {
	var db string
	cmd := &cobra.Command{
		Use:   "fetch [KIND...]",
		Short: "Ask mailboxes over IMAP, block lists and Sender Score over DNS",
		Long: `fetch goes on where it ended the last time. KIND is one of

  seed arf dmarc   mailboxes of this kind, [[mailbox]] in the configuration
  block_lists      DNS block lists, about our sending IPs and [signals] ranges
  senderscore      Sender Score over DNS, about the same addresses

or none for all that is configured. DNS questions are about our own addresses
only, at most [signals] rate a second. A list that is gone, that lists everybody
or that refuses our resolver is told and left out.

Exit status: 0 ok, 1 some sources failed, 2 usage, 75 none could be reached.`,
		Example:   "  repute signals fetch\n  repute signals fetch seed block_lists",
		ValidArgs: fetchKinds,
	}
	cmd.Flags().StringVar(&db, "db", "", "database `file` (default repute.duckdb)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, k := range args {
			if !slices.Contains(fetchKinds, k) {
				return usagef("there is no kind %q; there are %v", k, fetchKinds)
			}
		}
		ctx := cmd.Context()
		im, err := a.importing(ctx, db)
		if err != nil {
			return err
		}
		defer im.store.Close()
		return a.fetch(ctx, im, args)
	}
	return cmd
}

var fetchKinds = []string{"seed", "arf", "dmarc", "block_lists", "senderscore"}

func (a *app) fetch(ctx context.Context, im *importing, kinds []string) error {
	wants := func(k string) bool { return len(kinds) == 0 || slices.Contains(kinds, k) }
	asked, failed := 0, 0
	run := func(name string, f func() error) error {
		asked++
		before := im.tally
		im.tally = tally{}
		err := f()
		if err == nil {
			err = im.flush(ctx)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			failed++
			im.waiting = im.waiting[:0]
			a.complain(err)
		}
		if im.tally.records > 0 || err == nil {
			if told := im.tell(a.out, name); told != nil && err == nil {
				failed++
			}
		}
		im.tally = before
		return nil
	}
	for i := range im.cfg.Mailboxes {
		m := &im.cfg.Mailboxes[i]
		if !wants(m.Kind) {
			continue
		}
		if err := run(m.Kind+" "+m.Name, func() error { return im.mailbox(ctx, m, a.env) }); err != nil {
			return err
		}
	}
	if wants("block_lists") {
		for _, list := range im.cfg.Signals.BlockLists {
			if err := run(list, func() error { return im.blockList(ctx, list) }); err != nil {
				return err
			}
		}
	}
	if wants("senderscore") && im.cfg.Signals.SenderScore != "" {
		if err := run("senderscore", func() error { return im.senderScore(ctx) }); err != nil {
			return err
		}
	}
	switch {
	case asked == 0:
		return usagef("nothing of that is configured; see docs/signals.md")
	case failed == asked:
		return withStatus(exitTryAgain, errors.New("none of the sources could be read"))
	case failed > 0:
		return &exitError{status: exitPartial}
	}
	return nil
}

// mailbox reads what is new in a mailbox. Each part of a folder is committed
// with its mark, so that a failure costs no mail and doubles none.
func (im *importing) mailbox(ctx context.Context, m *config.Mailbox, env func(string) string) error {
	account, err := imapAccount(m, env)
	if err != nil {
		return err
	}
	box, err := account.Open(ctx)
	if err != nil {
		return err
	}
	defer box.Close()
	folders, err := chosenFolders(box, m)
	if err != nil {
		return err
	}
	for _, f := range folders {
		if err := im.folder(ctx, box, f, m); err != nil {
			return err
		}
	}
	return nil
}

// folder reads what is new in one folder. The mark is kept after the records,
// so that a kill in between reads some mails again, and their keys count once.
func (im *importing) folder(ctx context.Context, box mailbox.Box, f mailbox.Folder, m *config.Mailbox) error {
	key := fmt.Sprintf("imap %s@%s %s", m.User, m.Host, f.Name)
	var since mailbox.Mark
	if kept, err := im.store.Meta(ctx, key); err == nil {
		since = mailbox.ParseMark(kept)
	}
	mark, err := box.Read(ctx, f, since, func(msg mailbox.Message) error {
		if m.Kind == config.MailboxSeed {
			return im.seed(ctx, m, msg)
		}
		return im.mail(ctx, m.Kind, msg, trust(&im.cfg, false))
	})
	if mark == since {
		return err
	}
	if flushed := im.flush(ctx); flushed != nil {
		return errors.Join(err, flushed)
	}
	return errors.Join(err, im.store.SetMeta(ctx, key, mark.String()))
}

// seed keeps a mail of ours in a seed mailbox; other mail is passed over.
func (im *importing) seed(ctx context.Context, m *config.Mailbox, msg mailbox.Message) error {
	box := seed.Mailbox{Name: m.Name, Address: m.Address.Address.Address, Receiver: m.Receiver}
	rec, ok, err := box.Placement(msg.Body, msg.Folder, msg.Junk)
	if err != nil {
		im.fault(fmt.Errorf("%s: %w", msg.Name, err))
		return nil
	}
	if !ok {
		return nil
	}
	if !im.analysis.Sending(rec.IP) {
		joined, err := im.analysis.Join(ctx, []signals.Record{rec}, im.hash)
		if err != nil || joined[0].How != analysis.JoinMessage {
			return storeStatus(err)
		}
	}
	return im.take(ctx, rec)
}

func imapAccount(m *config.Mailbox, env func(string) string) (*mailbox.Account, error) {
	password, err := m.Password(env)
	if err != nil {
		return nil, err
	}
	account := &mailbox.Account{
		Host: m.Host, Port: m.TCPPort(), User: m.User, Password: password.Reveal(),
		Timeout: m.Timeout.Duration, Headers: m.Kind == config.MailboxSeed,
		TLS: map[string]mailbox.TLS{config.ImplicitTLS: mailbox.Implicit, config.StartTLS: mailbox.StartTLS, config.NoTLS: mailbox.Plain}[m.TLS],
	}
	if account.Timeout == 0 {
		account.Timeout = time.Minute
	}
	if m.CAFile != "" {
		pem, err := os.ReadFile(m.CAFile)
		if err != nil {
			return nil, err
		}
		account.CAs = x509.NewCertPool()
		if !account.CAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate", m.CAFile)
		}
	}
	return account, nil
}

// chosenFolders are those named, else those that tell something.
func chosenFolders(box mailbox.Box, m *config.Mailbox) ([]mailbox.Folder, error) {
	all, err := box.Folders()
	if err != nil {
		return nil, err
	}
	var out []mailbox.Folder
	for _, f := range all {
		where := seed.FolderOf(f.Name)
		chosen := slices.Contains(m.Folders, f.Name)
		if len(m.Folders) == 0 {
			chosen = where == seed.Inbox || m.Kind == config.MailboxSeed && (f.Junk || where == seed.Spam)
		}
		if chosen {
			out = append(out, f)
		}
	}
	for _, name := range m.Folders {
		if !slices.ContainsFunc(out, func(f mailbox.Folder) bool { return f.Name == name }) {
			return nil, fmt.Errorf("mailbox %s has no folder %q", m.Name, name)
		}
	}
	return out, nil
}

// ours lists the addresses to ask about: the sending IPs that the logs show,
// and the configured ranges.
func (im *importing) ours() []netip.Addr {
	var out []netip.Addr
	for _, name := range im.analysis.Sources() {
		if ip, err := netip.ParseAddr(name); err == nil {
			out = append(out, ip)
		}
	}
	for _, p := range im.cfg.Signals.Ranges {
		for ip := p.Addr(); p.Contains(ip); ip = ip.Next() {
			out = append(out, ip)
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

func (im *importing) resolver() (*public.Resolver, error) {
	r := &public.Resolver{Server: im.cfg.Signals.Resolver, Rate: im.cfg.Signals.Rate, Timeout: 5 * time.Second}
	if r.Server != "" {
		return r, nil
	}
	var err error
	r.Server, err = public.SystemServer()
	return r, err
}

func (im *importing) blockList(ctx context.Context, list string) error {
	r, err := im.resolver()
	if err != nil {
		return err
	}
	if err := r.Works(ctx, list); err != nil {
		return err
	}
	day := time.Now()
	for _, ip := range im.ours() {
		rec, err := r.Listed(ctx, list, ip, day)
		if err != nil {
			return err
		}
		if err := im.take(ctx, rec); err != nil {
			return err
		}
	}
	return nil
}

func (im *importing) senderScore(ctx context.Context) error {
	r, err := im.resolver()
	if err != nil {
		return err
	}
	day := time.Now()
	for _, ip := range im.ours() {
		rec, ok, err := r.Score(ctx, im.cfg.Signals.SenderScore, ip, day)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if err := im.take(ctx, rec); err != nil {
			return err
		}
	}
	return nil
}
