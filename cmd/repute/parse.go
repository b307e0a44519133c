package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"repute/delivery"
	"repute/internal/config"
	"repute/internal/ingest"
	"repute/internal/sender"
	"repute/reports"
)

func (a *app) parseCommand() *cobra.Command {
	var mask bool
	cmd := &cobra.Command{
		Use:   "parse FILE...",
		Short: "Print the events of logs as JSON lines; no database",
		Long: `parse reads logs and prints one JSON object for each event: what happened to
which recipient, when, over which relay, what the receiver answered and what
that means. Senders are joined over the queue id. "-" is standard input.

Recipients are printed in clear; --mask hides them.

Exit status: 0 ok, 1 some inputs failed, 2 usage, 3 nothing recognised.`,
		Example: "  repute parse /var/log/mail.log | jq 'select(.status == \"deferred\")'",
		Args:    cobra.MinimumNArgs(1),
	}
	format := cmd.Flags().String("format", "json", "`json|none`; none only reads and parses, for timing")
	cmd.Flags().BoolVar(&mask, "mask", false, "hide the local parts of addresses")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *format != "json" && *format != "none" {
			return usagef("--format %s: json or none", *format)
		}
		r, err := a.newReading()
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(a.out, 64<<10)
		p := &parsePrinter{
			enc: json.NewEncoder(out), cfg: &r.cfg, mask: mask || r.cfg.Privacy.Mask,
			senders: sender.New(senderRules(&r.cfg), nil),
		}
		p.enc.SetEscapeHTML(false)
		o := ingest.Options{}
		if *format == "json" {
			o.OnEvent = p.event
		}
		_, err = a.ingest(cmd.Context(), r, args, o)
		return errors.Join(out.Flush(), err)
	}
	return cmd
}

type parsePrinter struct {
	enc     *json.Encoder
	cfg     *config.Config
	mask    bool
	senders *sender.Resolver
}

// parsed is the contract of `repute parse`: names and meaning stay.
type parsed struct {
	TS              string   `json:"ts"`
	Host            string   `json:"host"`
	Tag             string   `json:"tag"`
	QueueID         string   `json:"queue_id"`
	Kind            string   `json:"kind"`
	IP              string   `json:"ip,omitempty"`
	Sender          *string  `json:"sender,omitempty"`
	Recipient       string   `json:"recipient,omitempty"`
	RecipientDomain string   `json:"recipient_domain,omitempty"`
	Receiver        string   `json:"receiver,omitempty"`
	Relay           string   `json:"relay,omitempty"`
	RelayIP         string   `json:"relay_ip,omitempty"`
	Status          string   `json:"status,omitempty"`
	Attempted       bool     `json:"attempted"`
	First           bool     `json:"first,omitempty"`
	Class           string   `json:"class,omitempty"`
	Code            uint16   `json:"code,omitempty"`
	Enhanced        string   `json:"enhanced,omitempty"`
	Stage           string   `json:"stage,omitempty"`
	Failure         string   `json:"failure,omitempty"`
	Reply           string   `json:"reply,omitempty"`
	Reason          string   `json:"reason,omitempty"`
	Rule            string   `json:"rule,omitempty"`
	ConnS           *float32 `json:"conn_s,omitempty"`
	XmitS           *float32 `json:"xmit_s,omitempty"`
	TLS             string   `json:"tls,omitempty"`
	MessageID       string   `json:"message_id,omitempty"`
	NewID           string   `json:"new_id,omitempty"`
	Local           bool     `json:"local,omitempty"`
	Bounce          bool     `json:"bounce,omitempty"`
	Truncated       bool     `json:"truncated,omitempty"`
	File            string   `json:"file"`
	Line            int64    `json:"line"`
}

func (p *parsePrinter) event(b *ingest.Booked) error {
	e := b.Event
	out := parsed{
		TS:   time.UnixMicro(e.At).In(zone(p.cfg)).Format("2006-01-02T15:04:05.000000Z07:00"),
		Host: logText(e.Host), Tag: logText(e.Tag), QueueID: logText(e.QueueID), Kind: e.Kind.String(),
		Recipient: p.address(logText(e.Recipient)), RecipientDomain: b.Domain, Receiver: b.Receiver.ID,
		Relay: logText(e.RelayHost), RelayIP: logText(e.RelayIP), Status: e.Status.String(), Attempted: e.Attempted, First: b.First,
		Class: b.Class.String(), Code: b.Reply.Code, Enhanced: b.Reply.Enhanced.String(), Stage: b.Reply.Stage.String(),
		Failure: b.Reply.Failure.String(), Reply: logText(b.Reply.Text), Reason: b.Verdict.Reason.String(), Rule: b.Verdict.Rule,
		ConnS: known(e.ConnS), XmitS: known(e.XmitS), TLS: logText(e.TLS), MessageID: logText([]byte(b.MessageID)), NewID: logText(e.NewID),
		Local: e.Local, Bounce: e.Bounce, Truncated: e.Truncated, File: logText([]byte(b.File)), Line: b.Line,
	}
	if e.Kind == delivery.Attempt || e.Kind == delivery.Expired || e.Kind == delivery.HostTrial {
		if s := p.senders.Resolve(b.Origin); s.How != sender.Unknown {
			out.IP = s.Name
		}
	}
	if b.Sender != "" || e.HasSender {
		s := p.address(logText([]byte(b.Sender)))
		out.Sender = &s
	}
	return p.enc.Encode(&out)
}

func known(s float32) *float32 {
	if s < 0 {
		return nil
	}
	return &s
}

// address hides the local part where that is wanted.
func (p *parsePrinter) address(s string) string {
	if !p.mask {
		return s
	}
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '@' {
			return "…" + s[i:]
		}
	}
	if s != "" {
		return "…"
	}
	return s
}

// logText is log bytes as JSON can hold them.
func logText(b []byte) string { return reports.Printable(string(b)) }
