package seed

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/textproto"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/headers"
)

// maxHeader bounds a mail's header in bytes.
const maxHeader = 256 << 10

// Mailbox is a mailbox of our own at a receiver.
type Mailbox struct {
	Name     string // tells it from the others
	Address  string // its own, "" if not known
	Receiver string // whose it is
}

// Placement reads where one mail lay: a record of one seed found. Whether the
// mail is one of ours the caller must see, by the address that handed it over
// or by its ids. A mail in another folder than inbox or spam gives false.
//
// The folder is no part of the record's key: a mail that moved counts once,
// where it lies now.
func (m *Mailbox) Placement(mail io.Reader, folder string, junk bool) (signals.Record, bool, error) {
	where := FolderOf(folder)
	if junk {
		where = Spam
	}
	if where != Inbox && where != Spam {
		return signals.Record{}, false, nil
	}
	h, err := textproto.ReadHeader(bufio.NewReader(io.LimitReader(mail, maxHeader)))
	if err != nil && h.Len() == 0 {
		return signals.Record{}, false, fmt.Errorf("not a mail: %w", err)
	}
	header := &message.Header{Header: h}
	at, err := headers.Arrived(header)
	if err != nil {
		return signals.Record{}, false, fmt.Errorf("no date: %w", err)
	}
	about := signals.Reference{
		MessageIDs: headers.MessageIDs(header), QueueIDs: headers.QueueIDs(header),
		Sender: headers.Address(header.Get("Return-Path")), Recipient: m.Address,
	}
	if about.Recipient == "" {
		about.Recipient = headers.Address(header.Get("Delivered-To"))
	}
	if _, domain, ok := headers.CutAddress(about.Recipient); ok {
		about.Domain = strings.ToLower(domain)
	}
	rec := signals.Record{
		Signal: delivery.Signal{Day: signals.Day(at), Receiver: m.Receiver, Kind: delivery.SignalSeed, N: 1, Verified: true},
		Source: "seed mailbox " + m.Name,
		Detail: strings.ToValidUTF8(folder, "?"),
		Key:    signals.Key("seed mailbox", m.Name, strings.Join(about.MessageIDs, " "), at.UTC().String()),
		About:  about,
	}
	if where == Spam {
		rec.K = 1
	}
	if ip := headers.HandedOver(header); ip.IsValid() {
		rec.IP = ip.String()
	}
	return rec, true, nil
}
