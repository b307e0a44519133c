// Package seed reads what seed mailboxes tell: mailboxes of our own at a
// receiver, and whether the mail sent to them lay in the inbox or in the spam
// folder. It comes as a table or from the mailboxes themselves.
package seed

import (
	"io"
	"iter"
	"strings"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/table"
)

// counts is a table of how many seeds lay where, per day, address and
// receiver: what seed-test services export.
var counts = table.Layout{Columns: []table.Column{
	{Name: "date", Also: []string{"day", "time", "sent"}, Needs: true},
	{Name: "ip", Also: []string{"sending ip", "ip address", "source ip"}, Needs: true},
	{Name: "receiver", Also: []string{"isp", "provider", "mailbox provider", "domain"}, Needs: true},
	{Name: "seeds", Also: []string{"total", "sent count"}},
	{Name: "inbox", Also: []string{"inbox count"}, Needs: true},
	{Name: "spam", Also: []string{"junk", "bulk", "spam count"}, Needs: true},
	{Name: "missing", Also: []string{"missing count"}},
}}

// placements is a table of single messages, found again by their Message-ID.
var placements = table.Layout{Columns: []table.Column{
	{Name: "date", Also: []string{"time", "ts_us", "timestamp", "day"}, Needs: true},
	{Name: "receiver", Also: []string{"isp", "provider", "mailbox provider", "domain"}},
	{Name: "recipient", Also: []string{"rcpt", "seed", "mailbox", "to"}, Needs: true},
	{Name: "message_id", Also: []string{"message-id", "msgid"}, Needs: true},
	{Name: "folder", Also: []string{"placement", "found in"}, Needs: true},
	{Name: "ip", Also: []string{"sending ip", "ip address", "source ip"}},
}}

// Read yields a record for each line of a table that found at least one seed:
// N seeds found, K of them in the spam folder. A missing seed lies in no
// folder, so it is not in N. The table is of counts per day or of single
// messages; its line of names tells which.
//
// What can't be read yields a *table.Error.
func Read(name string, r io.Reader) iter.Seq2[signals.Record, error] {
	layout := table.Either(counts, placements)
	return func(yield func(signals.Record, error) bool) {
		for row, err := range table.Read(name, r, layout) {
			if err != nil {
				if !yield(signals.Record{}, err) {
					return
				}
				continue
			}
			var rec signals.Record
			if row.Has("message_id") {
				rec = placement(row)
			} else {
				rec = count(row)
			}
			if err := row.Err(); err != nil {
				rec = signals.Record{}
				if !yield(rec, err) {
					return
				}
				continue
			}
			if rec.N > 0 && !yield(rec, nil) {
				return
			}
		}
	}
}

func count(row *table.Row) signals.Record {
	day := signals.Day(row.Time("date"))
	ip, receiver := row.Addr("ip").String(), row.Needed("receiver")
	inbox, spam, missing := row.Count("inbox"), row.Count("spam"), row.Count("missing")
	if seeds := row.Count("seeds"); row.Has("seeds") && uint64(inbox)+uint64(spam)+uint64(missing) != uint64(seeds) {
		row.Fail("inbox %d + spam %d + missing %d is not seeds %d", inbox, spam, missing, seeds)
	}
	if uint64(inbox)+uint64(spam) > 1<<31 {
		row.Fail("inbox %d + spam %d is too many", inbox, spam)
	}
	return signals.Record{
		Signal: delivery.Signal{
			Day: day, IP: ip, Receiver: receiver, Kind: delivery.SignalSeed, N: inbox + spam, K: spam,
			Verified: true, // the operator's own file about the operator's own mailboxes
		},
		Source: "seed table",
		// The counts are no part of the key: a later table of the same day
		// corrects an earlier one.
		Key: signals.Key("seeds", row.Text("date"), ip, receiver),
	}
}

func placement(row *table.Row) signals.Record {
	rcpt, id := row.Needed("recipient"), strings.Trim(row.Needed("message_id"), "<>")
	rec := signals.Record{
		Signal: delivery.Signal{Day: signals.Day(row.Time("date")), Receiver: row.Text("receiver"), Kind: delivery.SignalSeed, Verified: true},
		Source: "seed table",
		Key:    signals.Key("seed", strings.ToLower(rcpt), id),
		About:  signals.Reference{MessageIDs: []string{id}, Recipient: rcpt},
	}
	if _, domain, ok := strings.Cut(rcpt, "@"); ok {
		rec.About.Domain = strings.ToLower(domain)
	}
	if row.Has("ip") {
		rec.IP = row.Addr("ip").String()
	}
	switch FolderOf(row.Text("folder")) {
	case Inbox:
		rec.N = 1
	case Spam:
		rec.N, rec.K = 1, 1
	case Missing: // in no folder
	default:
		row.Fail("folder %q is neither an inbox nor a spam folder", row.Text("folder"))
	}
	return rec
}

// Folder is where a message lay.
type Folder int

// The folders. Other is one that tells nothing (sent, trash, a user's own).
const (
	Other Folder = iota
	Inbox
	Spam
	Missing
)

// spamFolders are what mailbox providers call it; IMAP's own mark is the
// attribute \Junk (RFC 6154).
var spamFolders = [...]string{
	"spam", "junk", "bulk", "bulk mail", "bulkmail", "junk email", "junk e-mail", "junk mail", "spamverdacht", "unsolicited", "unerwünscht",
	"courrier indésirable", "pourriel", "indésirables", "posta indesiderata", "correo no deseado", "迷惑メール", "迷惑メールフォルダ", "スパム", "垃圾邮件", "垃圾郵件",
	"스팸메일함", "спам", "spam folder", "quarantine",
}

// FolderOf tells what a folder is by its name, with or without the folders
// above it ("[Gmail]/Spam", "INBOX.Junk").
func FolderOf(name string) Folder {
	name = strings.ToLower(strings.TrimSpace(name))
	if i := strings.LastIndexAny(name, "/.\\"); i >= 0 {
		name = name[i+1:]
	}
	switch name {
	case "inbox", "primary", "受信トレイ", "受信箱":
		return Inbox
	case "missing", "not found", "none":
		return Missing
	}
	for _, s := range spamFolders {
		if name == s {
			return Spam
		}
	}
	return Other
}
