package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// check looks at what the types alone can't rule out.
func (c *checker) check(cfg *Config) {
	for i := range cfg.Senders {
		c.sender(fmt.Sprintf("sender[%d]", i+1), &cfg.Senders[i])
	}
	for i, n := range cfg.Networks {
		key := fmt.Sprintf("network[%d]", i+1)
		if n.Name == "" {
			c.fault(key+".name", "a network needs a name")
		}
		if !n.CIDR.IsValid() {
			c.fault(key+".cidr", "a network needs a range, like \"192.0.2.0/24\"")
		} else if n.CIDR != n.CIDR.Masked() {
			c.fault(key+".cidr", "%s has bits set behind its length; write %s", n.CIDR, n.CIDR.Masked())
		}
	}
	c.store(&cfg.Store)
	c.report(&cfg.Report)
	for i := range cfg.Recipients {
		c.recipient(fmt.Sprintf("recipient[%d]", i+1), &cfg.Recipients[i], cfg.Networks)
	}
	c.smtp(&cfg.SMTP)
	for i := range cfg.Alerts {
		c.alert(fmt.Sprintf("alert[%d]", i+1), &cfg.Alerts[i])
	}
	c.mailNeedsSMTP(cfg)
	for i := range cfg.Mailboxes {
		c.mailbox(fmt.Sprintf("mailbox[%d]", i+1), &cfg.Mailboxes[i])
	}
	c.signals(&cfg.Signals)
	if y := cfg.Time.Year; y != 0 && (y < 1980 || y > 2100) {
		c.fault("time.year", "%d is out of range; write a year from 1980 to 2100, or leave it out", y)
	}
}

func (c *checker) sender(key string, s *Sender) {
	if s.Host == "" && s.Tag == "" && s.Transport == "" && s.SenderDomain == "" {
		c.fault(key, "an entry needs at least one of host, tag, transport, sender_domain: it would match every line")
	}
	switch hasIP := s.IP.IsValid(); {
	case !hasIP && s.Pool == "":
		c.fault(key, "an entry needs ip = \"192.0.2.1\", or pool = \"name\" where the log can't tell the addresses apart")
	case hasIP && s.Pool != "":
		c.fault(key+".pool", "an entry has either ip or pool, not both")
	case hasIP && (s.IP.IsLoopback() || s.IP.IsUnspecified() || s.IP.IsMulticast() || s.IP.Zone() != ""):
		c.fault(key+".ip", "%s can't be an address that receivers see", s.IP)
	}
	if _, err := netip.ParseAddr(s.Pool); err == nil {
		c.fault(key+".pool", "%s is an address; write it as ip, or give the pool a name", s.Pool)
	}
	c.plain(key+".pool", s.Pool)
}

func (c *checker) store(s *Store) {
	if s.DB == "" {
		c.fault("store.db", "the path of the database must not be empty; leave the key out for ./repute.duckdb")
	}
	if s.MemoryLimit != 0 && s.MemoryLimit < 64<<20 {
		c.fault("store.memory_limit", "the least is 64MiB")
	}
	if s.Threads < 0 || s.Threads > 1024 {
		c.fault("store.threads", "%d is out of range; write 1 to 1024, or leave it out", s.Threads)
	}
	r := s.Retention
	if r.Evidence.Duration != 0 && r.Evidence.Duration < r.Events.Duration {
		c.fault("store.retention.evidence", "evidence must be kept at least as long as the events it is counted from")
	}
}

func (c *checker) report(r *Report) {
	c.lang("report.lang", r.Lang)
	c.oneOf("report.attach", r.Attach, AttachPage, AttachZip, AttachNone)
	if r.ListID != "" && !listID.MatchString(r.ListID) {
		c.fault("report.list_id", "%q is not a list's id; write it like \"repute.example.com\" (RFC 2919)", r.ListID)
	}
	if r.ListUnsubscribe == "" {
		return
	}
	u, err := url.Parse(r.ListUnsubscribe)
	if err != nil || u.Scheme != "mailto" && u.Scheme != "https" || strings.ContainsAny(r.ListUnsubscribe, "<>, ") || hasControl(r.ListUnsubscribe) {
		c.fault("report.list_unsubscribe", "%q is not usable; write a mailto: or https: address (RFC 2369)", r.ListUnsubscribe)
	}
}

// listID is RFC 2919 section 2's list-id without <>.
var listID = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+$`)

func (c *checker) recipient(key string, r *Recipient, networks []Network) {
	if r.Address.Address.Address == "" {
		c.fault(key+".address", "a recipient needs a mail address")
	}
	if r.Reports != "" {
		c.oneOf(key+".reports", r.Reports, ReportsSummary, ReportsFull)
	}
	if r.Lang != "" {
		c.lang(key+".lang", r.Lang)
	}
	for _, name := range r.Networks {
		if !slices.ContainsFunc(networks, func(n Network) bool { return n.Name == name }) {
			c.fault(key+".networks", "%q is not the name of a [[network]] entry", name)
		}
	}
}

func (c *checker) smtp(s *SMTP) {
	c.oneOf("smtp.tls", s.TLS, StartTLS, ImplicitTLS, NoTLS)
	password := s.PasswordFile != "" || s.Credential != ""
	switch {
	case s.Host != "" && s.Sendmail != "":
		c.fault("smtp.sendmail", "mail leaves either through host or through sendmail, not both")
	case s.PasswordFile != "" && s.Credential != "":
		c.fault("smtp.credential", "the password comes either from password_file or from credential, not both")
	case password && s.User == "":
		c.fault("smtp.user", "a password needs a user")
	case s.User != "" && !password:
		c.fault("smtp.user", "a user needs password_file or credential")
	case s.TLS == NoTLS && password:
		c.fault("smtp.tls", "a password is never sent without TLS; use \"starttls\" or \"tls\"")
	}
	if s.Port < 0 || s.Port > 65535 {
		c.fault("smtp.port", "%d is not a port; write 1 to 65535", s.Port)
	}
	if s.Configured() && s.From.Address.Address == "" {
		c.fault("smtp.from", "the address that reports come from is missing")
	}
	if s.Timeout.Duration <= 0 {
		c.fault("smtp.timeout", "the time-out must be above 0, like \"60s\"")
	}
	c.plain("smtp.host", s.Host)
	c.plain("smtp.user", s.User)
}

func (c *checker) alert(key string, a *Alert) {
	for _, kind := range a.On {
		c.oneOf(key+".on", kind, AlertKinds()...)
	}
	if len(a.Mail) == 0 && a.Webhook == "" && len(a.Command) == 0 {
		c.fault(key, "an alert needs mail, webhook or command")
	}
	if a.Webhook != "" {
		u, err := url.Parse(a.Webhook)
		local := err == nil && (u.Hostname() == "127.0.0.1" || u.Hostname() == "::1" || u.Hostname() == "localhost")
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !local) {
			c.fault(key+".webhook", "%q is not usable; write an https: address (http: only to this machine)", a.Webhook)
		}
	}
	if a.Lang != "" {
		c.lang(key+".lang", a.Lang)
	}
	if a.FalseAlarms < 0 {
		c.fault(key+".false_alarms", "%g is below 0", a.FalseAlarms)
	}
	c.plain(key+".name", a.Name)
}

// mailNeedsSMTP holds for whoever is to be sent mail.
func (c *checker) mailNeedsSMTP(cfg *Config) {
	if cfg.SMTP.Configured() {
		return
	}
	for i := range cfg.Alerts {
		if len(cfg.Alerts[i].Mail) > 0 {
			c.fault(fmt.Sprintf("alert[%d].mail", i+1), "mail needs [smtp] with host or sendmail")
		}
	}
}

func (c *checker) oneOf(key, got string, allowed ...string) {
	if !slices.Contains(allowed, got) {
		c.fault(key, "%q is not allowed; write one of: %s", got, strings.Join(allowed, ", "))
	}
}

func (c *checker) lang(key, lang string) {
	if !langTag.MatchString(lang) {
		c.fault(key, "%q is not a language; write it like \"en\" or \"ja\"", lang)
	}
}

var langTag = regexp.MustCompile(`^[a-z]{2,3}$`)

// plain refuses control characters where a value ends in a header, in an SMTP
// command or on a terminal.
func (c *checker) plain(key, value string) {
	if hasControl(value) {
		c.fault(key, "%q holds a control character", value)
	}
}
