package opensmtpd

import (
	"bytes"

	"repute/delivery"
)

// words reads stat="…": the receiver's reply, whose lines smtpd has joined and
// rid of their codes (mta_session.c), or smtpd's own words.
func words(r *delivery.Reply, t []byte) {
	if len(t) >= 3 && '2' <= t[0] && t[0] <= '5' && digit(t[1]) && digit(t[2]) && (len(t) == 3 || t[3] == ' ') {
		r.Code = uint16(t[0]-'0')*100 + uint16(t[1]-'0')*10 + uint16(t[2]-'0')
		r.Text = t[min(4, len(t)):]
		r.Enhanced, _ = delivery.ParseEnhanced(r.Text)
		if t[0] == '2' {
			r.Stage = delivery.StageEOD
		}
		return
	}
	r.Text = t
	for _, f := range [...]struct {
		words   string
		failure delivery.Failure
	}{
		{"MX", delivery.DNSFailure}, // "No MX found for domain", "Temporary failure in MX lookup"
		{"Address family mismatch", delivery.DNSFailure},
		{"Could not retrieve", delivery.LocalFault},
		{"Loop detected", delivery.LocalFault},
		{"No valid route", delivery.NoAttempt},
		{"redentials", delivery.LocalFault},
		{"TLS", delivery.TLSFailure},
		{"imeout", delivery.ReplyTimeout},
		{"onnection closed", delivery.Lost},
		{"onnection reset", delivery.Lost},
		{"onnection refused", delivery.ConnectionRefused},
		{"route to host", delivery.Unreachable},
		{"Network error on destination MXs", delivery.ConnectionTimeout},
	} {
		if bytes.Contains(t, []byte(f.words)) {
			r.Failure = f.failure // the last that fits: "Network error on destination MXs" names MX too
		}
	}
	if r.Failure == delivery.ConnectionTimeout || r.Failure == delivery.ConnectionRefused || r.Failure == delivery.Unreachable {
		r.Stage = delivery.StageConnect
	}
}

// fields reads key=value pairs in their order. bad names the first that was
// not there.
type fields struct {
	rest []byte
	bad  string
}

// take moves past key and up to end, which is dropped.
func (f *fields) take(key string, end byte) []byte {
	if f.bad != "" {
		return nil
	}
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(f.rest, " "), []byte(key))
	if !ok {
		f.bad = key
		return nil
	}
	i := bytes.IndexByte(rest, end)
	if i < 0 {
		if end != ' ' {
			f.bad = "the end of " + key
			return nil
		}
		f.rest = nil
		return rest
	}
	f.rest = rest[i+1:]
	return rest[:i]
}

func (f *fields) word(key string) []byte    { return f.take(key, ' ') }
func (f *fields) address(key string) []byte { return f.take(key, '>') }
func (f *fields) quoted(key string) []byte  { return f.take(key+`"`, '"') }

// last takes all that is left: a reply may hold anything.
func (f *fields) last(key string) []byte {
	if f.bad != "" {
		return nil
	}
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(f.rest, " "), []byte(key))
	if !ok {
		f.bad = key
		return nil
	}
	f.rest = nil
	return rest
}

// duration reads "2d3h4m5s" (duration_to_text); -1 if it is none.
func duration(t []byte) float32 {
	var total, n int64
	for _, c := range t {
		unit := int64(0)
		switch c {
		case 'd':
			unit = 86400
		case 'h':
			unit = 3600
		case 'm':
			unit = 60
		case 's':
			unit = 1
		default:
			if !digit(c) || n > 1e6 {
				return -1
			}
			n = n*10 + int64(c-'0')
			continue
		}
		total, n = total+n*unit, 0
	}
	if len(t) == 0 || total > 366*86400 {
		return -1
	}
	return float32(total)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
