package powermta_test

import (
	"errors"
	"flag"
	"testing"

	"repute/parser"
	"repute/parser/powermta"
	"repute/parser/sampletest"
)

var update = flag.Bool("update", false, "write the golden file")

// TestSample compares the events of a sample log with those kept.
func TestSample(t *testing.T) {
	sampletest.Check(t, powermta.New(parser.Options{Host: "mx1"}), *update)
}

// TestColumns: the first line says which column is which, also where reading
// goes on in the middle of a file.
func TestColumns(t *testing.T) {
	const head = "type,rcpt,timeLogged,dlvSourceIp,orig\n"
	record := []byte("d,bob@example.net,1767574805,192.0.2.9,ann@example.com")
	p := powermta.New(parser.Options{Head: []byte(head)})
	events, err := p.Append(nil, record)
	if err != nil || len(events) != 2 || string(events[0].Recipient) != "bob@example.net" || string(events[0].LocalIP) != "192.0.2.9" {
		t.Fatal(events, err)
	}
	var syntax *parser.SyntaxError
	for _, line := range []string{"d,yesterday,,a@example.com", `d,1767574805,1,a@example.com,"b@example.net`, "d,1767574805"} {
		if events, err := powermta.New(parser.Options{}).Append(nil, []byte(line)); len(events) > 0 || !errors.As(err, &syntax) {
			t.Errorf("%s: %d events, %v", line, len(events), err)
		}
	}
}

// TestID: the id joins the records of a message and a recipient, and can't be
// guessed without the key.
func TestID(t *testing.T) {
	id := func(key, line string) string {
		events, err := powermta.New(parser.Options{Key: []byte(key)}).Append(nil, []byte(line))
		if err != nil {
			t.Fatal(err)
		}
		return string(events[0].QueueID)
	}
	deferred, sent := "t,1767574805,1767574800,a@example.com,b@example.net", "d,1767574999,1767574800,a@example.com,b@example.net"
	if id("k", deferred) != id("k", sent) || id("k", sent) == id("l", sent) || id("k", sent) == id("k", sent+"x") {
		t.Error("ids", id("k", deferred), id("k", sent), id("l", sent))
	}
}
