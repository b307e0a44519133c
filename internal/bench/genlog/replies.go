package main

import (
	"fmt"
	"strings"
)

// host is who takes a domain's mail and how it speaks.
type host struct {
	own      []string // its own domains
	mx       []string
	weight   float64
	accepted []string
	deferred []string
	refused  []string
}

type reply struct{ dsn, status, text string }

// words are Postfix's around a reply.
func (r *reply) words(to recipient) string {
	if r.status == "sent" {
		return r.text
	}
	return fmt.Sprintf("host %s[%s] said: %s", to.mx, to.ip, r.text)
}

// The replies are shaped like those of the providers; what is in braces
// differs from one to the next: {n} a number, {x} hex, {ip} ours, {to} the
// recipient, {domain} its domain, {w} a word.
var hosts = []host{
	{
		own: []string{"gmail.com", "googlemail.com"}, weight: 30,
		mx:       []string{"gmail-smtp-in.l.google.com", "alt1.gmail-smtp-in.l.google.com"},
		accepted: []string{"250 2.0.0 OK  {n} {x}-{x}si{n}.{n2} - gsmtp"},
		deferred: []string{
			"421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address {ip}. To protect our users from spam, mail sent from your IP address has been temporarily rate limited. For more information, go to https://support.google.com/mail/?p=UnsolicitedRateLimitError to review our Bulk Email Senders Guidelines. {x}-{x}si{n}.{n2} - gsmtp (in reply to end of DATA command)",
			"450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. Please resend your message at a later time. If the user is able to receive mail at that time, your message will be delivered. For more information, please visit https://support.google.com/mail/?p=ReceivingRate {x}si{n}.{n2} - gsmtp (in reply to RCPT TO command)",
		},
		refused: []string{
			"550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser {x}-{x}si{n}.{n2} - gsmtp (in reply to RCPT TO command)",
			"550-5.7.1 [{ip}] Our system has detected that this message is likely unsolicited mail. To reduce the amount of spam sent to Gmail, this message has been blocked. Please visit https://support.google.com/mail/?p=UnsolicitedMessageError for more information. {x}si{n}.{n2} - gsmtp (in reply to end of DATA command)",
		},
	},
	{
		own: []string{"outlook.com", "hotmail.com", "live.com"}, weight: 18,
		mx:       []string{"outlook-com.olc.protection.outlook.com", "hotmail-com.olc.protection.outlook.com"},
		accepted: []string{"250 2.6.0 <{x}{x}.{n}@mailer.example.com> [InternalId={n}{n}, Hostname={X}PR{n2}MB{n2}.namprd{n2}.prod.outlook.com] {n} bytes in 0.{n2}, {n2}.{n2} KB/sec Queued mail for delivery -> 250 2.1.5"},
		deferred: []string{"451 4.7.650 The mail server [{ip}] has been temporarily rate limited due to IP reputation. For e-mail delivery information, see https://postmaster.live.com (S775) [{X}EPF{N}.eop-{site}.prod.protection.outlook.com {x} {x}] (in reply to MAIL FROM command)"},
		refused: []string{
			"550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [{X}EPF{N}.eop-{site}.prod.protection.outlook.com {x} {x}] (in reply to MAIL FROM command)",
			"550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302). [{X}EPF{N}.eop-{site}.prod.protection.outlook.com {x} {x}] (in reply to RCPT TO command)",
		},
	},
	{
		own: []string{"yahoo.com", "aol.com", "ymail.com"}, weight: 12,
		mx:       []string{"mta5.am0.yahoodns.net", "mta6.am0.yahoodns.net", "mta7.am0.yahoodns.net"},
		accepted: []string{"250 ok dirdel"},
		deferred: []string{"421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected volume or user complaints - 4.16.55.{n2}; see https://postmaster.yahooinc.com/error-codes (in reply to MAIL FROM command)"},
		refused:  []string{"554 5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes (in reply to end of DATA command)", "552 1 Requested mail action aborted, mailbox not found (in reply to end of DATA command)"},
	},
	{
		own: []string{"docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp"}, weight: 15,
		mx:       []string{"mfsmax.docomo.ne.jp", "lsean.ezweb.ne.jp"},
		accepted: []string{"250 Ok", "250 2.0.0 {x} Message accepted for delivery"},
		deferred: []string{"421 4.7.0 {X} Too many connections from your host {ip} (in reply to end of DATA command)"},
		refused:  []string{"550 Unknown user {to} (in reply to RCPT TO command)"},
	},
	{
		own: []string{"gmx.de", "web.de", "t-online.de", "orange.fr", "free.fr", "mail.ru", "qq.com", "163.com", "icloud.com", "comcast.net"}, weight: 25,
		mx:       []string{"mx00.emig.gmx.net", "mx01.t-online.de", "smtp-in.orange.fr", "mx1.free.fr", "mxs.mail.ru", "mx3.qq.com", "mx02.mail.icloud.com", "mx1a1.comcast.net"},
		accepted: []string{"250 Requested mail action okay, completed: id={x}-{x}", "250 2.0.0 Ok: queued as {x}", "250 OK: queued as.", "250 Mail OK queued as {w},{x}{n}"},
		deferred: []string{
			"450 4.7.1 Requested mail action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net/en/case?c=r{n2}01&i=ip&v={ip}&r={x}{n} (in reply to MAIL FROM command)",
			"421 smtp{n2} Service refused, please try later. OFR_{n2} [{n2}] (in reply to RCPT TO command)",
		},
		refused: []string{
			"554 IP={ip} - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (in reply to MAIL FROM command)",
			"550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c={x}{x}{x}{x} or report details to abuse@corp.mail.ru. Error code: {x}. ID: {x}. (in reply to end of DATA command)",
		},
	},
}

var sites = strings.Fields("eur01 eur02 eur03 eur04 eur05 nam01 nam02 nam03 nam04 nam10 nam11 nam12 apc01 jpn01 jpn02 kor01 gbr01 fra01 deu01 can01 aus01 ind01 bra01")

// generic speaks for everyone's own server.
var generic = host{
	accepted: []string{"250 2.0.0 Ok: queued as {x}", "250 OK id={exim}", "250 2.0.0 {x}{n} Message accepted for delivery", "250 Message received"},
	deferred: []string{
		"450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/{domain}.html (in reply to RCPT TO command)",
		"451 4.7.1 Greylisting in action, please come back in 00:0{n1}:{n2} (in reply to RCPT TO command)",
		"451 Temporary local problem - please try later [{x}] (in reply to RCPT TO command)",
	},
	refused: []string{
		"550 5.1.1 <{to}>: Recipient address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
		"554 5.7.1 Service unavailable; Client host [{ip}] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip} (in reply to RCPT TO command)",
		"550 5.7.1 Message rejected due to content restrictions, reference {x}.{n} (in reply to end of DATA command)",
		"552 5.2.2 <{to}>: Mailbox is full / Blocks limit exceeded / Inode limit exceeded (in reply to RCPT TO command)",
	},
}

// reply makes the outcome of one try: nine in ten are accepted at once.
func (g *generator) reply(to recipient, tries int) reply {
	x := g.r.IntN(1000)
	switch {
	case x < 30:
		text := g.fill(g.pick(to.host.refused), to)
		return reply{code(text, "5.0.0"), "bounced", text}
	case x < 100 && tries < 4:
		text := g.fill(g.pick(to.host.deferred), to)
		return reply{code(text, "4.0.0"), "deferred", text}
	}
	text := g.fill(g.pick(to.host.accepted), to)
	return reply{code(text, "2.0.0"), "sent", text}
}

// code is the reply's enhanced status code, or what Postfix makes up.
func code(text, otherwise string) string {
	if f := strings.Fields(text[4:]); len(f) > 0 && strings.Count(f[0], ".") == 2 && len(f[0]) <= 7 && f[0][0] == otherwise[0] {
		return f[0]
	}
	return otherwise
}

// fill puts in what differs.
func (g *generator) fill(text string, to recipient) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		what, after, _ := strings.Cut(rest, "}")
		switch what {
		case "n":
			fmt.Fprintf(&b, "%d", 100000+g.r.IntN(900000))
		case "n1":
			fmt.Fprintf(&b, "%d", g.r.IntN(10))
		case "n2":
			fmt.Fprintf(&b, "%d", 10+g.r.IntN(90))
		case "x":
			fmt.Fprintf(&b, "%08x", g.r.Uint32())
		case "X":
			fmt.Fprintf(&b, "%s%d%s0", sites[g.r.IntN(len(sites))][:2], g.r.IntN(10), sites[g.r.IntN(len(sites))][:2])
		case "N":
			fmt.Fprintf(&b, "%08X", g.r.IntN(1<<18))
		case "site":
			b.WriteString(g.pick(sites))
		case "domain":
			b.WriteString(to.address[strings.IndexByte(to.address, '@')+1:])
		case "exim":
			fmt.Fprintf(&b, "1v%04x-%011x-%04x", g.r.IntN(1<<16), g.r.Uint64()&0xFFFFFFFFFFF, g.r.IntN(1<<16))
		case "w":
			b.WriteString(g.pick(nouns))
		case "ip":
			fmt.Fprintf(&b, "203.0.113.%d", 1+g.r.IntN(4))
		case "to":
			b.WriteString(to.address)
		}
		text = after
	}
}
