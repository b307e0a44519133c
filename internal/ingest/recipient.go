package ingest

import (
	"repute/delivery"
	"repute/rules"
)

// reply is what a reply says of one recipient: where it matters which one it
// names, another is marked.
func (d *dictionary) reply(receiver int32, r *delivery.Reply, recipient []byte) *delivery.Reply {
	if d.voices[receiver-1] == 0 || !d.rules.TellsRecipients(d.receivers[receiver-1].ID) {
		return r
	}
	d.marked = *r
	d.marked.Text = rules.MarkOthers(r.Text, recipient)
	return &d.marked
}
