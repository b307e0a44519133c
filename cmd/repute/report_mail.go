package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/config"
	"repute/internal/mail"
	"repute/internal/store"
	"repute/reports"
	"repute/reports/page"
	"repute/reports/words"
)

// mailing sends reports to the configured recipients.
type mailing struct {
	*app
	*reading
	analysis *analysis.Analysis
	outbox   mail.Outbox
	lang     string // --lang: stronger than the recipients' own
}

// ready tells what is missing before anything is composed.
func (m *mailing) ready() error {
	switch {
	case len(m.cfg.Recipients) == 0:
		return usagef("nobody to send to: the configuration has no [[recipient]]; see docs/mail.md")
	case !m.cfg.SMTP.Configured():
		return usagef("no way to send: the configuration has no [smtp]; see docs/mail.md")
	}
	return nil
}

// due is the period of the latest due report: the whole week before its due
// time.
func (m *mailing) due(now time.Time) (from, to time.Time) {
	last := m.cfg.Report.Schedule.Last(now.In(reportZone(&m.cfg)))
	monday := time.Date(last.Year(), last.Month(), last.Day()-(int(last.Weekday())+6)%7, 0, 0, 0, 0, last.Location())
	return monday.AddDate(0, 0, -7), monday
}

// reportZone is that of the report's days.
func reportZone(cfg *config.Config) *time.Location {
	if cfg.Report.Zone.Location != nil {
		return cfg.Report.Zone.Location
	}
	return zone(cfg)
}

// queue composes the period's report for each recipient who has not got it yet.
func (m *mailing) queue(ctx context.Context, from, to, now time.Time) error {
	f, err := m.analysis.Findings(ctx, from, to)
	if err != nil {
		return storeStatus(err)
	}
	if len(f.Pairs) == 0 {
		m.complain(fmt.Errorf("no evidence from %s to %s; the mail says so", from.Format(time.DateOnly), to.AddDate(0, 0, -1).Format(time.DateOnly)))
	}
	var errs []error
	for i := range m.cfg.Recipients {
		r := &m.cfg.Recipients[i]
		letter, err := m.compose(f, r, now)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", r.Address.Address.Address, err))
			continue
		}
		added, err := m.outbox.Add(ctx, letter)
		if err != nil {
			return errors.Join(append(errs, err)...)
		}
		if added && letter.Clipped {
			m.complain(fmt.Errorf("%s: the mail is larger than Gmail shows at once", r.Address.Address.Address))
		}
		if !added {
			fmt.Fprintf(m.err, "repute: %s has the report of %s already, or it waits in the outbox\n", reports.Printable(r.Address.Address.Address), letter.Period)
		}
	}
	return errors.Join(errs...)
}

// compose writes one recipient's mail.
func (m *mailing) compose(all *reports.Findings, r *config.Recipient, now time.Time) (mail.Letter, error) {
	f := all
	if len(r.IPs)+len(r.Receivers)+len(r.Networks) > 0 {
		f = all.Only(m.wants(r))
	}
	lang := r.Lang
	if m.lang != "" {
		lang = m.lang
	}
	w, err := language(lang, &m.cfg)
	if err != nil {
		return mail.Letter{}, err
	}
	period := reports.PeriodID(f.Period)
	msg := mail.Message{
		From: m.cfg.SMTP.From.Address, To: r.Address.Address, Date: now, Period: period,
		Variant: fmt.Sprint(r.Reports, lang, r.IPs, r.Receivers, r.Networks),
		ListID:  m.cfg.Report.ListID, ListUnsubscribe: m.cfg.Report.ListUnsubscribe,
	}
	if r.Reports != config.ReportsSummary && m.cfg.Report.Attach != config.AttachNone {
		file, err := attachment(f, w, "report-"+period+".html", m.cfg.Report.Attach == config.AttachZip, now)
		if err != nil {
			return mail.Letter{}, err
		}
		msg.Attached = []mail.File{file}
	}
	o := reports.MailOptions{}
	if len(msg.Attached) > 0 {
		o.Attached = msg.Attached[0].Name
	}
	body, err := reports.NewMail(f, w, o)
	if err != nil {
		return mail.Letter{}, err
	}
	msg.Subject, msg.Text, msg.HTML = body.Subject, body.Text, body.HTML
	for _, p := range body.Pictures {
		msg.Images = append(msg.Images, mail.File{Name: p.ID, Type: "image/png", Data: p.PNG})
	}
	return mail.Compose(msg)
}

// attachment is the interactive page, packed if wanted.
func attachment(f *reports.Findings, w *words.Words, name string, packed bool, now time.Time) (mail.File, error) {
	var b bytes.Buffer
	if err := page.HTML(&b, f, w); err != nil {
		return mail.File{}, err
	}
	if !packed {
		return mail.File{Name: name, Type: "text/html", Data: b.Bytes()}, nil
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	entry, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
	if err == nil {
		_, err = entry.Write(b.Bytes())
	}
	return mail.File{Name: name + ".zip", Type: "application/zip", Data: out.Bytes()}, errors.Join(err, z.Close())
}

// wants tells which pairs a recipient asked for.
func (m *mailing) wants(r *config.Recipient) func(ip, receiver string) bool {
	var receivers []string
	for _, word := range r.Receivers {
		if found, ok := m.rules.Lookup(word); ok {
			word = found.ID
		}
		receivers = append(receivers, word)
	}
	networks := inference.Config{}
	for _, n := range m.cfg.Networks {
		networks.Networks = append(networks.Networks, inference.Network{Name: n.Name, CIDR: n.CIDR})
	}
	return func(ip, receiver string) bool {
		if len(receivers) > 0 && receiver != "" && !slices.Contains(receivers, receiver) {
			return false
		}
		if len(r.IPs)+len(r.Networks) == 0 || ip == "" {
			return true
		}
		addr, err := netip.ParseAddr(ip)
		return err == nil && slices.ContainsFunc(r.IPs, func(p netip.Prefix) bool { return p.Contains(addr) }) ||
			slices.Contains(r.Networks, networks.Neighbourhood(ip))
	}
}

// send tries what is due in the outbox, once.
func (m *mailing) send(ctx context.Context) error {
	way, err := m.submitter(&m.cfg)
	if err != nil {
		return err
	}
	if m.app.outbox != nil {
		m.app.outbox.Lock()
		defer m.app.outbox.Unlock()
	}
	sender := mail.Sender{Outbox: m.outbox, Submit: way, Now: time.Now, Log: m.log}
	r, err := sender.Run(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(m.out, "%d sent, %d waiting, %d failed\n", r.Sent, r.Queued, r.Failed)
	switch {
	case r.Failed > 0:
		return withStatus(exitPartial, errors.New("mail failed; see: repute report --outbox"))
	case r.Queued > 0:
		return withStatus(exitTryAgain, errors.New("mail waits; the next --email or --due tries again"))
	}
	return nil
}

// letterColumns are what `report --outbox` shows.
func letterColumns(r *reading) []column[mail.Letter] {
	type l = mail.Letter
	at := func(t time.Time) string { return t.In(reportZone(&r.cfg)).Format("2006-01-02 15:04") }
	return []column[l]{
		{"period", func(v l) any { return v.Period }, nil},
		{"to", func(v l) any { return v.To }, nil},
		{"state", func(v l) any { return string(v.State) }, nil},
		{"tries", func(v l) any { return v.Tries }, nil},
		{"queued", func(v l) any { return at(v.Queued) }, nil},
		{"next", func(v l) any {
			if v.State != mail.Queued {
				return nil
			}
			return at(v.Next)
		}, nil},
		{"error", func(v l) any { return v.LastError }, nil},
		{"id", func(v l) any { return v.ID }, nil},
	}
}

// outboxOf lists the outbox, or with retry puts what failed back.
func (a *app) outboxOf(ctx context.Context, r *reading, s *store.Store, format string, retry bool) error {
	if retry {
		n, err := mail.Retry(ctx, s.Outbox(), time.Now())
		if err != nil {
			return storeStatus(err)
		}
		fmt.Fprintf(a.out, "%d put back; the next --email or --due sends them\n", n)
		return nil
	}
	letters, err := s.Outbox().Letters(ctx)
	if err != nil {
		return storeStatus(err)
	}
	if err := printRows(a.out, format, letterColumns(r), seq(letters)); err != nil {
		return err
	}
	if slices.ContainsFunc(letters, func(l mail.Letter) bool { return l.State == mail.Failed }) {
		return &exitError{status: exitPartial}
	}
	return nil
}
