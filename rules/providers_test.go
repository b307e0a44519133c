package rules

import (
	"slices"
	"testing"
)

// TestNamedReceivers: the receivers that a postmaster meets have rules of
// their own, and are known by their MX.
func TestNamedReceivers(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for mx, id := range map[string]string{
		"gmail-smtp-in.l.google.com": "gmail", "aspmx.l.google.com": "google-apps",
		"eur.olc.protection.outlook.com": "outlook", "example-com.mail.protection.outlook.com": "microsoft365",
		"mta7.am0.yahoodns.net": "yahoo", "mx01.mail.icloud.com": "icloud", "mx1h1.comcast.net": "comcast", "ff-ip4-mx-vip1.prodigy.net": "att",
		"smtp-in.orange.fr": "orange", "mx1.free.fr": "free", "smtpz4.laposte.net": "laposte", "mx00.emig.gmx.net": "gmx", "mx00.t-online.de": "t-online",
		"mx.telefonica.net": "telefonica", "smtp-in.libero.it": "libero", "mx1.seznam.cz": "seznam", "mxs.mail.ru": "mailru", "mx.yandex.ru": "yandex",
		"mx3.qq.com": "qq", "163mx01.mxmail.netease.com": "netease", "mx1.naver.com": "naver", "mx.zoho.com": "zoho", "smtp.secureserver.net": "godaddy", "mx1.emailsrvr.com": "rackspace",
		"mxa-00176a02.gslb.pphosted.com": "proofpoint", "eu-smtp-inbound-1.mimecast.com": "mimecast", "d1.ess.barracudanetworks.com": "barracuda",
		"in.hes.trendmicro.com": "trendmicro", "mx.mailchannels.net": "mailchannels", "cluster1.eu.messagelabs.com": "symantec",
		"mfsmax.docomo.ne.jp": "docomo", "lsean.ezweb.ne.jp": "au", "mx.softbank.ne.jp": "softbank", "mx.rakuten.co.jp": "rakuten", "mx.mail.yahoo.co.jp": "yahoo-japan",
		"mx.ocn.ne.jp": "ocn", "mx.biglobe.ne.jp": "biglobe", "mx.nifty.com": "nifty", "mx.so-net.ne.jp": "so-net",
		"mx1-hc1.iphmx.com": "cisco",
	} {
		if got := s.Receiver(mx, "example.net").ID; got != id {
			t.Errorf("%s is %s, want %s", mx, got, id)
		}
		own := func(r *Rule) bool { return slices.Contains(r.Receiver, id) }
		if id != "cisco" && !slices.ContainsFunc(s.Rules(), own) { // its words are the same wherever it stands
			t.Errorf("no rule is for %s", id)
		}
	}
	for _, id := range []string{"cisco-sbrs", "ironport-refused", "cloudmark-csi", "blocklist", "greylist", "postscreen"} {
		if r, ok := s.Rule(id); !ok || r.Source == "" {
			t.Errorf("rule %s: want it, with its source", id)
		}
	}
}

// TestOwnDomains: where no relay is known, the domain tells.
func TestOwnDomains(t *testing.T) {
	s, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for domain, want := range map[string]string{
		"gmail.com": "gmail", "yahoo.co.uk": "yahoo", "yahoo.com.br": "yahoo", "yahoo.co.jp": "yahoo-japan", "hotmail.nl": "outlook", "live.be": "outlook",
		"yahoo.example.com": "yahoo.example.com", "myyahoo.example": "myyahoo.example", "yahoo": "yahoo",
	} {
		if got := s.Receiver("", domain); got.ID != want || domain == "yahoo" && got.Provider {
			t.Errorf("%s is %+v, want %s", domain, got, want)
		}
	}
}
