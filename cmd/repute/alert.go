package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"repute/internal/alert"
	"repute/internal/config"
	"repute/internal/mail"
	"repute/reports"
)

func (a *app) alertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alert",
		Short: "Try the alerts of the configuration",
		RunE: func(*cobra.Command, []string) error {
			return usagef("a command is missing: repute alert test")
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test [NAME]",
		Short: "Send a test alert to each [[alert]] entry, or to one, now",
		Long: `test sends a test alert to each [[alert]] entry of the configuration, in its
language, whatever its hours: by mail, to its webhook, to its command. Nothing
is queued and nothing is tried again: what fails is told.

Exit status: 0 all delivered, 1 some were not, 2 usage.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := a.loadConfig()
			if err != nil {
				return err
			}
			if len(cfg.Alerts) == 0 {
				return usagef("the configuration has no [[alert]]; see docs/follow.md")
			}
			return a.testAlerts(cmd.Context(), &cfg, args)
		},
	})
	return cmd
}

// testAlerts delivers a test alert by each way of each rule.
func (a *app) testAlerts(ctx context.Context, cfg *config.Config, names []string) error {
	now, failed, found := time.Now().In(zone(cfg)), false, false
	for i := range cfg.Alerts {
		rule := &cfg.Alerts[i]
		name := alert.Name(rule, i)
		if len(names) > 0 && names[0] != name {
			continue
		}
		found = true
		w, err := alert.Words(rule)
		if err != nil {
			return usagef("%s: %w", name, err)
		}
		test := alert.Test(now, w)
		for _, kind := range alert.Ways(rule) {
			way, err := a.alertWay(cfg, rule, kind, &posted{app: a, cfg: cfg})
			if err == nil {
				err = way.Deliver(ctx, fmt.Sprintf("test-%d", now.UnixNano()), &test)
			}
			result := "delivered"
			if err != nil {
				failed, result = true, "failed: "+err.Error()
			}
			fmt.Fprintln(a.out, reports.Printable(name+": "+kind+": "+result))
		}
	}
	switch {
	case !found:
		return usagef("no [[alert]] is named %q", names[0])
	case failed:
		return &exitError{status: exitPartial}
	}
	return nil
}

// alertWay is what delivers a rule's alerts in one way.
func (a *app) alertWay(cfg *config.Config, rule *config.Alert, kind string, outbox mail.Outbox) (alert.Way, error) {
	switch kind {
	case "webhook":
		return alert.NewWebhook(rule, time.Now)
	case "command":
		return &alert.Command{Args: rule.Command}, nil
	case "mail":
		return &alert.Mail{From: cfg.SMTP.From.Address, To: rule.Mail, Outbox: outbox, Now: time.Now}, nil
	}
	return nil, fmt.Errorf("no way %q", kind)
}

// posted is an outbox that sends at once and keeps nothing.
type posted struct {
	*app
	cfg *config.Config
}

func (p *posted) Add(ctx context.Context, l mail.Letter) (bool, error) {
	way, err := p.submitter(p.cfg)
	if err != nil {
		return false, err
	}
	return true, way.Submit(ctx, &l)
}

func (p *posted) Letters(context.Context) ([]mail.Letter, error) { return nil, nil }

func (p *posted) Update(context.Context, mail.Letter) error {
	return errors.New("nothing is kept")
}

// submitter is the configured way out for mail.
func (a *app) submitter(cfg *config.Config) (mail.Submitter, error) {
	password, err := cfg.SMTP.Password(a.env)
	if err != nil {
		return nil, withStatus(exitUsage, err)
	}
	way, err := mail.NewSubmitter(cfg.SMTP, password)
	if err != nil {
		return nil, withStatus(exitUsage, err)
	}
	return way, nil
}

// checkAlerts tells of a language that alerts can't be said in.
func checkAlerts(cfg *config.Config) error {
	for i := range cfg.Alerts {
		if _, err := alert.Words(&cfg.Alerts[i]); err != nil {
			return usagef("%s: %w", alert.Name(&cfg.Alerts[i], i), err)
		}
	}
	return nil
}

// desk is the alert desk as configured now; nil where nobody wants alerts.
func (f *follower) desk() *alert.Desk {
	f.mu.Lock()
	cfg := f.reading.cfg
	f.mu.Unlock()
	if len(cfg.Alerts) == 0 {
		return nil
	}
	return &alert.Desk{
		Rules: cfg.Alerts, Book: f.store.Lend(), Log: f.log,
		Now: func() time.Time { return time.Now().In(zone(&cfg)) },
		Way: func(rule *config.Alert, kind string) (alert.Way, error) {
			return f.alertWay(&cfg, rule, kind, f.store.Lend().Outbox())
		},
	}
}

// sendMail tries what is due in the outbox.
func (f *follower) sendMail(ctx context.Context) error {
	f.mu.Lock()
	cfg := f.reading.cfg
	f.mu.Unlock()
	if !cfg.SMTP.Configured() {
		return nil
	}
	way, err := f.submitter(&cfg)
	if err != nil {
		return err
	}
	f.outbox.Lock()
	defer f.outbox.Unlock()
	_, err = (&mail.Sender{Outbox: f.store.Lend().Outbox(), Submit: way, Now: time.Now, Log: f.log}).Run(ctx)
	return err
}
