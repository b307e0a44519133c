package ingest

import (
	"bytes"
	"net/netip"

	"repute/internal/store"
)

// scrub makes a reply fit to be kept as a sample for all who got the like:
// mail addresses and IP addresses are taken out.
func scrub(text []byte) string {
	var out []byte
	for _, w := range bytes.SplitAfter(text[:min(len(text), 1000)], []byte(" ")) {
		word := bytes.TrimRight(w, " ")
		switch {
		case bytes.IndexByte(word, '@') >= 0:
			out = append(append(out, "<…>"...), w[len(word):]...)
		default:
			out = appendWithoutIPs(out, w)
		}
	}
	return string(bytes.ToValidUTF8(out, []byte("?")))
}

// appendWithoutIPs appends a word with the addresses in it masked.
func appendWithoutIPs(out, w []byte) []byte {
	for i := 0; i < len(w); {
		if !addressByte(w[i]) {
			out = append(out, w[i])
			i++
			continue
		}
		start := i
		for i < len(w) && addressByte(w[i]) {
			i++
		}
		if _, ok := addressIn(w[start:i]); ok {
			out = append(out, "…"...)
		} else {
			out = append(out, w[start:i]...)
		}
	}
	return out
}

// quoted counts the addresses that a refusal names: they are ours, unless
// they are the relay's.
func (b *book) quoted(origin int32, text, relayIP []byte) {
	for i := 0; i < len(text); {
		if !addressByte(text[i]) {
			i++
			continue
		}
		start := i
		for i < len(text) && addressByte(text[i]) {
			i++
		}
		ip, ok := addressIn(text[start:i])
		if ok && names(text[:start]) && !bytes.Equal(bytes.Trim(text[start:i], ".:"), relayIP) {
			b.quotes[store.Quote{Origin: origin, IP: ip.String()}]++
		}
	}
}

// names tells whether the words before an address say that it is one: it
// stands in brackets or behind "from", "host", "IP". Yahoo's replies end in
// "- 4.16.55.1", which is none.
func names(before []byte) bool {
	if len(before) == 0 {
		return false
	}
	if before[len(before)-1] != ' ' {
		return true
	}
	before = bytes.TrimRight(before, " :")
	word := bytes.ToLower(before[bytes.LastIndexByte(before, ' ')+1:])
	switch string(bytes.Trim(word, "([\"'")) {
	case "from", "ip", "address", "host", "client", "server", "sender", "addr", "ips":
		return true
	}
	return false
}

// addressIn reads an IP address, with a full stop or colon around it.
func addressIn(w []byte) (netip.Addr, bool) {
	w = bytes.Trim(w, ".:")
	if len(w) < 7 || len(w) > 39 || bytes.Count(w, []byte("."))+bytes.Count(w, []byte(":")) < 3 {
		return netip.Addr{}, false
	}
	ip, err := netip.ParseAddr(string(w))
	return ip, err == nil
}

func addressByte(c byte) bool {
	return '0' <= c && c <= '9' || c == '.' || c == ':' || 'a' <= c|0x20 && c|0x20 <= 'f'
}
