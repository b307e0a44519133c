package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"repute/delivery"
)

// causeWord names a cause in the words that page, mail and terminal share.
func causeWord(cause string) string {
	switch cause {
	case "ip":
		return "IP"
	case "own_network":
		return "own network"
	}
	return cause
}

// reasonSentence says a reason in words, after "main reason:".
func reasonSentence(r delivery.Reason) string {
	switch r {
	case delivery.ReasonNone:
		return "none: all accepted"
	case delivery.ReputationIP:
		return "the receiver's opinion of the IP"
	case delivery.Blocklist:
		return "a public blocklist"
	case delivery.ReputationDomain:
		return "reputation of the sender's domain"
	case delivery.RateLimit:
		return "too much at once"
	case delivery.Greylist:
		return "greylisting"
	case delivery.ContentSpam:
		return "content taken for spam"
	case delivery.Auth:
		return "authentication (SPF, DKIM, DMARC, PTR)"
	case delivery.PolicyOther:
		return "policy, no reason given"
	case delivery.UnknownUser:
		return "unknown users"
	case delivery.MailboxFull:
		return "full mailboxes"
	case delivery.InactiveUser:
		return "inactive mailboxes"
	case delivery.RelayDenied:
		return "relaying denied"
	case delivery.BadDomainDNS:
		return "domain without working DNS"
	case delivery.Size:
		return "message size"
	case delivery.Network:
		return "connection failed or lost"
	case delivery.System:
		return "receiver out of order"
	case delivery.Spamtrap:
		return "spam traps"
	}
	return "reply not understood"
}

// sentence says a fall in plain words.
func sentence(c *Change) string {
	verb := "treats mail from %s worse"
	switch {
	case c.After < 20:
		verb = "refuses nearly all mail from %s"
	case c.After < 50:
		verb = "slows down or refuses most mail from %s"
	case c.After < 80:
		verb = "slows down or refuses a part of the mail from %s"
	}
	return fmt.Sprintf("%s "+verb+" since %s: its score fell from %.0f to %.0f%s.",
		c.Receiver.Name, c.IP, day(c.Since), c.Before, c.After, becauseOf(c))
}

func becauseOf(c *Change) string {
	hedge := "; "
	if c.Confidence < 0.7 {
		hedge = "; most likely "
	}
	switch c.Cause {
	case "ip":
		return hedge + "the IP fell at several receivers"
	case "neighbourhood":
		return hedge + "the whole neighbourhood " + c.Entity + " fell"
	case "receiver":
		return hedge + "the receiver turned against all senders"
	case "stream":
		return hedge + "the stream " + c.Entity + " was turned away everywhere"
	case "private":
		return hedge + "only this receiver, only this IP"
	}
	return ""
}

// actionWords are heading and text of an action.
func actionWords(a *Action) (head, text string) {
	better := ""
	if a.Better != "" {
		better = fmt.Sprintf(" %s is at %.0f there.", a.Better, a.Score)
	}
	switch a.Code {
	case "move":
		return fmt.Sprintf("%s: take bulk mail off %s and ask for delisting", a.Receiver.Name, a.IP),
			"Keep order mail at 20 an hour or less. Test with at most 50 a day afterwards." + better
	case "slow":
		return fmt.Sprintf("%s: send slower from %s", a.Receiver.Name, a.IP),
			"Go down to 0.7 of the last rate that was accepted; add 20 % a day while more than 95 % is accepted at the first try." + better
	case "ip":
		return fmt.Sprintf("%s: find the stream that harmed the IP", a.IP),
			"It fell at several receivers at once. Compare complaints and unknown users by stream, stop the worst one, then warm up again."
	case "neighbourhood":
		return fmt.Sprintf("Ask the provider of %s for another range", a.Entity),
			"The neighbours fell together; there is nothing to clean on your side." + better
	case "receiver":
		return fmt.Sprintf("%s: slow down on all IPs", a.Receiver.Name),
			"The receiver turned against all of them; another IP won't help. See its postmaster page."
	case "stream":
		return fmt.Sprintf("Hold the stream %s", a.Entity), "Check its content and its links. Don't touch the IP."
	case "list":
		return fmt.Sprintf("Clean the list behind %s", a.Entity), "Far more unknown users than usual. Stop the import, verify the addresses."
	case "learn":
		return fmt.Sprintf("Tell the sending IP of %s", a.Entity), "The log does not show it. Run: repute doctor"
	}
	return a.Code, ""
}

func day(t time.Time) string { return t.Format("Mon 2 Jan") }

// thousands prints 84246 as "84,246".
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// delta prints a change against the week before: "~" inside the intervals.
func delta(score float64, w *Comparison) string {
	if w == nil {
		return ""
	}
	d := math.Round(score) - math.Round(w.Before)
	if !w.Clear || d == 0 {
		return "~"
	}
	return fmt.Sprintf("%+.0f", d)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return fmt.Sprintf("1 %s", one)
	}
	return fmt.Sprintf("%s %s", thousands(int64(n)), many)
}

func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Words are an action's heading and text.
func (a *Action) Words() (head, text string) { return actionWords(a) }

// Sentence says a fall in plain words.
func (c *Change) Sentence() string { return sentence(c) }
