// Package signals holds what the importers of outside evidence have in
// common: the record that each row, report or mail of theirs becomes.
//
// A log ends at "250 OK"; what happened to the mail after that is known
// elsewhere. Each importer is a folder: arf (complaints), seed (mailboxes of
// our own), dmarc, snds, postmaster, public (Sender Score, Talos, block
// lists), mapped (any CSV table). docs/signals.md tells what each is worth.
package signals

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"repute/delivery"
)

// Record is one thing that an outside source says about mail of ours.
type Record struct {
	// Signal's Receiver is the name that the source uses: a receiver's id, a
	// name or alias of it, a domain or an MX host. Who reads it resolves it.
	delivery.Signal
	// Key tells the record from every other of its kind: what is imported
	// again has the same key and counts once.
	Key string
	// SenderDomain is whose mail the source speaks of where it does not tell
	// addresses apart: then IP is "".
	SenderDomain string
	// Source is who says so, in its own name: "JMRP", "zen.spamhaus.org".
	Source string
	// Detail is what a person wants to read beside the numbers: the colour,
	// the list, the sort of complaint.
	Detail string
	// About is the message that the record speaks of; zero where it speaks of
	// an address and a day.
	About Reference
}

// Reference names one message of ours as well as an outside source can. Any
// of the fields may be empty.
type Reference struct {
	MessageIDs []string // without <>, the likeliest first
	QueueIDs   []string // that Received headers name, ours among them
	Sender     string   // envelope sender
	Recipient  string   // envelope recipient; "" where it was redacted
	Domain     string   // the recipient's domain
}

// Key makes a Record's key of the parts that identify it.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// Day returns the Unix seconds of the start of t's day in UTC.
func Day(t time.Time) int64 { return t.UTC().Truncate(24 * time.Hour).Unix() }
