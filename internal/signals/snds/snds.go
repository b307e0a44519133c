// Package snds reads the tables of Microsoft's Smart Network Data Services:
// what Outlook.com and Hotmail think of each address and day.
//
// The service gives them without column names ("automated data access"); its
// web page and newer exports have names, in another order. Days with fewer
// than 100 messages are not in it.
package snds

import (
	"io"
	"iter"
	"strings"

	"repute/delivery"
	"repute/internal/signals"
	"repute/internal/signals/table"
)

var layout = table.Layout{
	Columns: []table.Column{
		{Name: "ip", Also: []string{"ip address"}, Needs: true},
		{Name: "start", Also: []string{"activity start", "activity period", "date", "day"}, Needs: true},
		{Name: "end", Also: []string{"activity end"}},
		{Name: "rcpt", Also: []string{"rcpt commands", "rcpt cmds"}},
		{Name: "data", Also: []string{"data commands", "data cmds"}},
		{Name: "recipients", Also: []string{"message recipients", "messages"}},
		{Name: "colour", Also: []string{"filter result", "filter results", "result", "color"}, Needs: true},
		{Name: "complaints", Also: []string{"complaint rate", "complaint rates"}},
		{Name: "trap_start", Also: []string{"trap period start", "trap message period start"}},
		{Name: "trap_end", Also: []string{"trap period end", "trap message period end"}},
		{Name: "traps", Also: []string{"trap hits", "trap message count"}},
	},
	Bare: []string{"ip", "start", "end", "rcpt", "data", "recipients", "colour", "complaints", "trap_start", "trap_end", "traps"},
}

// Receiver is whose view the records are: the mailboxes of outlook.com,
// hotmail.com, live.com and msn.com.
const Receiver = "outlook.com"

// Read yields up to three records a line: the colour (with the number of
// messages), the complaint rate and the traps hit.
//
// What can't be read yields a *table.Error.
func Read(name string, r io.Reader) iter.Seq2[signals.Record, error] {
	return func(yield func(signals.Record, error) bool) {
		for row, err := range table.Read(name, r, layout) {
			var records []signals.Record
			if err == nil {
				records = line(row)
				err = row.Err()
			}
			if err != nil {
				if !yield(signals.Record{}, err) {
					return
				}
				continue
			}
			for _, rec := range records {
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}

func line(row *table.Row) []signals.Record {
	colour, ok := map[string]float64{"red": 0, "yellow": 1, "green": 2}[strings.ToLower(row.Text("colour"))]
	if !ok {
		row.Fail("filter result %q is not green, yellow or red", row.Text("colour"))
	}
	ip, day := row.Addr("ip").String(), signals.Day(row.Time("start"))
	n := row.Count("recipients")
	record := func(kind delivery.SignalKind) signals.Record {
		return signals.Record{
			Signal: delivery.Signal{Day: day, IP: ip, Receiver: Receiver, Kind: kind, N: n, Verified: true},
			Source: "Microsoft SNDS",
			Key:    signals.Key("snds", kind.String(), ip, row.Text("start")),
		}
	}
	c := record(delivery.SignalSNDS)
	c.Value, c.Detail = colour, strings.ToLower(row.Text("colour"))
	out := []signals.Record{c}
	// "< 0.1%" is Microsoft's way to say that there are next to none.
	if s := row.Text("complaints"); s != "" && !strings.HasPrefix(s, "<") {
		r := record(delivery.SignalComplaint)
		r.Value, r.Detail = row.Share("complaints"), row.Text("complaints")
		r.K = uint32(r.Value*float64(n) + 0.5)
		if r.K > 0 {
			out = append(out, r)
		}
	}
	if k := row.Count("traps"); k > 0 {
		r := record(delivery.SignalTrap)
		r.K = k
		out = append(out, r)
	}
	return out
}
