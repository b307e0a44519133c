// Package config reads repute.toml, the one configuration file.
//
// A flag is stronger than the environment, and the environment is stronger
// than the file: Load reads the file and lays the environment over it, and
// commands set the fields that their flags name. docs/configuration.md lists
// every key, docs/repute.example.toml shows them.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/netip"
	"os"
	"time"
)

// Config is the whole configuration. Load fills in the defaults; the zero
// value is not usable.
type Config struct {
	File string `toml:"-"` // the file that was read, "" if there was none

	Senders    []Sender    `toml:"sender"`
	Networks   []Network   `toml:"network"`
	Store      Store       `toml:"store"`
	Report     Report      `toml:"report"`
	Recipients []Recipient `toml:"recipient"`
	SMTP       SMTP        `toml:"smtp"`
	Alerts     []Alert     `toml:"alert"`
	Time       Time        `toml:"time"`
	Privacy    Privacy     `toml:"privacy"`
	Mailboxes  []Mailbox   `toml:"mailbox"`
	Signals    Signals     `toml:"signals"`
}

// Sender names the sending IP, or the pool, of the log lines that match. Every
// key given must match; the first entry that matches wins.
type Sender struct {
	Host         string     `toml:"host"`          // as logged
	Tag          string     `toml:"tag"`           // syslog tag without the daemon: "postfix/out2"
	Transport    string     `toml:"transport"`     // Exim T=
	SenderDomain string     `toml:"sender_domain"` // of the envelope sender
	IP           netip.Addr `toml:"ip"`            // either this
	Pool         string     `toml:"pool"`          // or this: addresses that the log can't tell apart
}

// Network gives a name to a range of our own addresses: a cloud, a site, a
// pool. Several entries may share a name.
type Network struct {
	Name string       `toml:"name"`
	CIDR netip.Prefix `toml:"cidr"`
}

// Store says where the database is and what it may use.
type Store struct {
	DB          string    `toml:"db"`
	Retention   Retention `toml:"retention"`
	MemoryLimit Bytes     `toml:"memory_limit"` // 0: the store's own default
	Threads     int       `toml:"threads"`      // 0: the store's own default
}

// Retention is how long the database keeps what it has read. 0 keeps it for good.
type Retention struct {
	Events   Duration `toml:"events"`
	Evidence Duration `toml:"evidence"`
}

// Report is the weekly report.
type Report struct {
	Zone            Zone     `toml:"zone"` // of days and of the schedule; default: [time] zone, else the machine's
	Schedule        Schedule `toml:"schedule"`
	Lang            string   `toml:"lang"`
	Attach          string   `toml:"attach"` // AttachPage, AttachZip or AttachNone
	ListID          string   `toml:"list_id"`
	ListUnsubscribe string   `toml:"list_unsubscribe"` // a mailto: or https: address
}

// What becomes of the interactive page in a report mail.
const (
	AttachPage = "page"
	AttachZip  = "zip"
	AttachNone = "none"
)

// Recipient is somebody who gets the report, and which part of it.
type Recipient struct {
	Address   Address        `toml:"address"`
	Reports   string         `toml:"reports"` // ReportsSummary or ReportsFull
	Lang      string         `toml:"lang"`    // default: [report] lang
	IPs       []netip.Prefix `toml:"ips"`     // only pairs of these sending IPs; empty: all
	Receivers []string       `toml:"receivers"`
	Networks  []string       `toml:"networks"` // names of [[network]] entries
}

// What a recipient is sent: the mail alone, or the mail with the page.
const (
	ReportsSummary = "summary"
	ReportsFull    = "full"
)

// Alert is somebody or something to tell when a score moves.
type Alert struct {
	Name       string    `toml:"name"`
	On         []string  `toml:"on"`      // what to tell, of AlertKinds; empty: all
	Mail       []Address `toml:"mail"`    // through [smtp] and the outbox
	Webhook    string    `toml:"webhook"` // https: address that takes JSON
	SecretFile string    `toml:"secret_file"`
	Command    []string  `toml:"command"` // program and arguments; the alert's text on stdin
	Lang       string    `toml:"lang"`    // default: [report] lang

	IPs         []netip.Prefix `toml:"ips"`
	Receivers   []string       `toml:"receivers"`
	Quiet       Span           `toml:"quiet"`        // hours in which nothing is sent; it follows when they end
	Refractory  Duration       `toml:"refractory"`   // no second alert for the same thing within this time
	FalseAlarms float64        `toml:"false_alarms"` // sensitivity: false alarms a week that you will bear
}

// AlertKinds lists what an alert may be about.
func AlertKinds() []string {
	return []string{"fall", "block", "blocklist", "recovery", "silence", "coverage"}
}

// Time says what log stamps leave out.
type Time struct {
	Zone Zone `toml:"zone"` // default: the machine's
	Year int  `toml:"year"` // of the first line of each file; 0: from the file's own time
}

// Privacy says what is shown of other people's addresses.
type Privacy struct {
	Mask bool `toml:"mask"` // `repute parse` hides recipients as with --mask
}

// defaultPath is read where it exists and no other file is named.
const defaultPath = "repute.toml"

// defaults are what an empty file means.
func defaults() Config {
	return Config{
		Store: Store{
			DB:        "repute.duckdb",
			Retention: Retention{Events: Duration{35 * 24 * time.Hour}, Evidence: Duration{400 * 24 * time.Hour}},
		},
		Report: Report{Schedule: Schedule{Day: time.Monday, Hour: 7}, Lang: "en", Attach: AttachPage},
		SMTP:   SMTP{TLS: StartTLS, Timeout: Duration{time.Minute}},
		// Lists that answer everybody; the large ones refuse public resolvers.
		Signals: Signals{
			BlockLists:  []string{"zen.spamhaus.org", "b.barracudacentral.org", "bl.spamcop.net", "psbl.surriel.com"},
			SenderScore: "score.senderscore.com", Rate: 10,
		},
	}
}

// Load reads the file at path and lays the environment over it. With path ""
// it reads the file that REPUTE_CONFIG names, else ./repute.toml; where that
// does not exist the defaults count. All that is wrong is told at once: the
// error joins one *Error for each fault.
func Load(path string, env func(string) string) (Config, error) {
	if path == "" {
		path = env("REPUTE_CONFIG")
	}
	cfg, err := loadFile(path)
	if err != nil {
		return Config{}, err
	}
	if err := cfg.overlay(env); err != nil {
		return Config{}, err
	}
	cfg.inherit()
	return cfg, nil
}

// loadFile reads a file, or the default one where it exists.
func loadFile(path string) (Config, error) {
	name := path
	if name == "" {
		name = defaultPath
	}
	text, err := os.ReadFile(name)
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return defaults(), nil
	}
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	// Whoever may write the file may have commands run ([[alert]] command).
	if info, err := os.Stat(name); err == nil && info.Mode().Perm()&0o002 != 0 {
		return Config{}, fmt.Errorf("configuration: %s may be written by everybody; run: chmod o-w %s", name, name)
	}
	return parse(name, text)
}

// parse reads the text of a file; name is for messages.
func parse(name string, text []byte) (Config, error) {
	cfg := defaults()
	if err := decode(name, bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &cfg); err != nil {
		return Config{}, err
	}
	cfg.File = name
	return cfg, nil
}

// inherit fills in what one key takes from another.
func (c *Config) inherit() {
	if c.Report.Zone.Location == nil {
		c.Report.Zone = c.Time.Zone
	}
	for i := range c.Alerts {
		if a := &c.Alerts[i]; a.Lang == "" {
			a.Lang = c.Report.Lang
		}
	}
	for i := range c.Recipients {
		r := &c.Recipients[i]
		if r.Lang == "" {
			r.Lang = c.Report.Lang
		}
		if r.Reports == "" {
			r.Reports = ReportsFull
		}
	}
}

// Address is a mail address as [RFC 5322 section 3.4] writes one.
//
// [RFC 5322 section 3.4]: https://www.rfc-editor.org/rfc/rfc5322#section-3.4
type Address struct{ mail.Address }

// UnmarshalText reads "postmaster@example.com" or "Name <postmaster@example.com>".
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := mail.ParseAddress(string(text))
	if err != nil || hasControl(string(text)) {
		return fmt.Errorf("%q is not a mail address; write name@example.com or Name <name@example.com>", text)
	}
	a.Address = *parsed
	return nil
}

// hasControl tells whether s holds a control character: a line break in an
// address or a name would start a header of its own.
func hasControl(s string) bool {
	for _, r := range s {
		if r < 0x20 || r == 0x7f {
			return true
		}
	}
	return false
}
