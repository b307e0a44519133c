package rules

import (
	"bytes"
	"testing"
)

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"4.7.28 rate of mail from 203.0.113.7. 0a923c6a-bab0eb1csi378570.52 - gsmtp", "4.7.28 rate of mail from # # - gsmtp"},
		{"d9443c01a7336-2a0f3b2c1d5si31245215ad.200 - gsmtp", "# - gsmtp"},
		{"(S3150) [SJ0PEPF000014A2.eop-nam12.prod.protection.outlook.com 67ac5b62 98a89ecf]", "(S3150) [#.eop-nam12.prod.protection.outlook.com # #]"},
		{"[TSS04] OFR_12 5.7.1 4.16.55.1 RL000010", "[TSS04] OFR_12 5.7.1 # RL000010"},
		{"<a.b@example.com>: help/example.com.html", "<@>: help/example.com.html"},
		{"IP=203.0.113.3 - A problem occurred", "IP=# - A problem occurred"},
		{"id=1vabcd-0123456789a-00fe bye", "id=# bye"},
		{"client [2001:db8::7] blocked using zen.spamhaus.org", "client [#] blocked using zen.spamhaus.org"},
		{"queued as 4bKz1X2Q3Rz5tYn:", "queued as #:"},
		{"try in 300 seconds or 3600", "try in 300 seconds or #"},
		{"sender rejected. AUP#In-1310 #4711", "sender rejected. AUP#In-1310 ##"},
		{"default decade faceless", "default decade faceless"},
		{"メール 123456", "メール #"},
	} {
		if got := string(Normalize(nil, []byte(c.text))); got != c.want {
			t.Errorf("Normalize(%q)\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func BenchmarkNormalize(b *testing.B) {
	text := []byte("5.7.1 Unfortunately, messages from [203.0.113.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [SJ0PEPF000014A2.eop-nam12.prod.protection.outlook.com 67ac5b62 98a89ecf]")
	var dst []byte
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		dst = Normalize(dst[:0], text)
	}
	if !bytes.Contains(dst, []byte("#")) {
		b.Fatal(string(dst))
	}
}
