package sender

import (
	"fmt"
	"slices"
	"strings"
)

// Advice returns what an operator may add so that the log (or repute.toml)
// tells which sending IP an origin's mail left from: configuration lines for
// the MTA first, then the [[sender]] entry that does without them. The tag
// tells the MTA. Origins that are known need none and get "".
func Advice(o Origin, s Source) string {
	if s.How != Unknown {
		return ""
	}
	var b strings.Builder
	switch {
	case strings.HasPrefix(o.Tag, "exim"):
		b.WriteString(eximLines)
	case o.Tag == "pmta":
		b.WriteString(powerMTALines)
	case o.Tag == "kumomta", o.Tag == "smtpd", o.Tag == "opensmtpd":
		// They always say it of a connection that was made.
	default:
		fmt.Fprintf(&b, postfixLines, o.Host)
	}
	fmt.Fprintf(&b, "# or, where all of it leaves from one address, in repute.toml:\n[[sender]]\n")
	for _, key := range []struct{ name, value string }{
		{"host", o.Host}, {"tag", o.Tag}, {"transport", o.Transport},
	} {
		if key.value != "" {
			fmt.Fprintf(&b, "%s = %q\n", key.name, key.value)
		}
	}
	b.WriteString("ip = \"192.0.2.1\"   # your address here\n")
	return b.String()
}

// Exim logs the local address only when both selectors are set
// (deliver.c, d_log_interface).
const eximLines = `# Exim, main configuration: show our address on every delivery line
log_selector = +incoming_interface +outgoing_interface
`

// Postfix never logs the source address; the syslog name of a service can
// carry it (master(5), smtp_bind_address in postconf(5)).
const postfixLines = `# Postfix on %s, master.cf: one service for each sending address, named after it
out1      unix  -       -       y       -       -       smtp
    -o syslog_name=postfix-192.0.2.1
    -o smtp_bind_address=192.0.2.1
# and main.cf (or a transport map): default_transport = out1
`

// PowerMTA logs the columns that it is told to.
const powerMTALines = `# PowerMTA, in <acct-file>: add dlvSourceIp to the fields of all records about deliveries
record-fields d …,dlvSourceIp
record-fields b …,dlvSourceIp
record-fields t …,dlvSourceIp
`

// Known is one line of what is known about the places in a log.
type Known struct {
	Origin Origin // Domain is empty unless the domain decides
	Source Source
	Count  int64 // attempts
}

// Survey adds up attempts by place and answer: what `repute doctor` shows.
// Places whose answer depends on the sender's domain are listed by domain.
func (r *Resolver) Survey(origins []Origin, attempts []int64) []Known {
	index := map[Known]int{}
	var known []Known
	for i, o := range origins {
		k := Known{Origin: o, Source: r.Resolve(o)}
		if k.Source.How != FromConfig && k.Source.How != FromLearned {
			k.Origin.Domain = ""
		}
		if k.Source.How != FromLine {
			k.Origin.LocalIP = ""
		}
		j, ok := index[k]
		if !ok {
			j = len(known)
			index[k] = j
			known = append(known, k)
		}
		known[j].Count += attempts[i]
	}
	slices.SortFunc(known, func(a, b Known) int {
		return strings.Compare(a.key(), b.key())
	})
	return known
}

func (k *Known) key() string {
	return strings.Join([]string{k.Origin.Host, k.Origin.Tag, k.Origin.Transport, k.Origin.Domain, k.Source.Name}, "\x00")
}
