// Package public asks what everybody can see of an address: DNS block lists
// and Sender Score. It is the view that other tools show; beside the private
// one it tells which receiver thinks otherwise.
//
// Only addresses that the caller names are asked about, at a bounded rate.
package public

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"repute/delivery"
	"repute/internal/signals"
)

// Resolver asks DNS questions.
type Resolver struct {
	Server  string        // "127.0.0.1:53"; "": the first of /etc/resolv.conf
	Rate    int           // questions a second
	Timeout time.Duration // of one question

	last time.Time
}

// SystemServer returns the first name server of /etc/resolv.conf.
func SystemServer() (string, error) {
	cfg, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil {
		return "", fmt.Errorf("no DNS server known: %w; name one with [signals] resolver", err)
	}
	if len(cfg.Servers) == 0 {
		return "", errors.New("/etc/resolv.conf names no server; name one with [signals] resolver")
	}
	return net.JoinHostPort(cfg.Servers[0], cfg.Port), nil
}

// wait keeps the rate.
func (r *Resolver) wait(ctx context.Context) error {
	if r.Rate <= 0 {
		return ctx.Err()
	}
	next := r.last.Add(time.Second / time.Duration(r.Rate))
	if d := time.Until(next); d > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(d):
		}
	}
	r.last = time.Now()
	return ctx.Err()
}

// ask returns the addresses that a name has, and with them the text; none
// where there is no such name.
func (r *Resolver) ask(ctx context.Context, name string) ([]netip.Addr, error) {
	if err := r.wait(ctx); err != nil {
		return nil, err
	}
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), dns.TypeA)
	client := &dns.Client{Timeout: r.Timeout}
	var answer *dns.Msg
	var err error
	for range 2 { // a lost datagram is no answer
		if answer, _, err = client.ExchangeContext(ctx, q, r.Server); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	if answer.Truncated {
		client.Net = "tcp"
		if answer, _, err = client.ExchangeContext(ctx, q, r.Server); err != nil {
			return nil, err
		}
	}
	switch answer.Rcode {
	case dns.RcodeNameError:
		return nil, nil
	case dns.RcodeSuccess:
	default:
		return nil, fmt.Errorf("the server answers %s", dns.RcodeToString[answer.Rcode])
	}
	var out []netip.Addr
	for _, rr := range answer.Answer {
		if a, ok := rr.(*dns.A); ok {
			if ip, ok := netip.AddrFromSlice(a.A); ok {
				out = append(out, ip.Unmap())
			}
		}
	}
	return out, nil
}

// reversed is an address as DNS lists write it (RFC 5782 sections 2.1, 2.4).
func reversed(ip netip.Addr) string {
	if ip.Is4() {
		b := ip.As4()
		return fmt.Sprintf("%d.%d.%d.%d", b[3], b[2], b[1], b[0])
	}
	b := ip.As16()
	digits := hex.EncodeToString(b[:])
	var out strings.Builder
	for i := len(digits) - 1; i >= 0; i-- {
		out.WriteByte(digits[i])
		if i > 0 {
			out.WriteByte('.')
		}
	}
	return out.String()
}

// UselessError tells that a list can't be asked: it is gone, lists everybody,
// or refuses our resolver. What it says of our addresses means nothing.
type UselessError struct {
	List, Why string
}

func (e *UselessError) Error() string { return e.List + " is of no use: " + e.Why }

// Works asks a list about the addresses that every list must and must not
// have: 127.0.0.2 is listed, 127.0.0.1 is not (RFC 5782 section 5).
func (r *Resolver) Works(ctx context.Context, list string) error {
	clean, err := r.ask(ctx, "1.0.0.127."+list)
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	if len(clean) > 0 {
		return &UselessError{list, "it lists 127.0.0.1, so it lists everybody"}
	}
	test, err := r.ask(ctx, "2.0.0.127."+list)
	if err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	switch {
	case len(test) == 0:
		return &UselessError{list, "it does not list 127.0.0.2, the test entry: it is gone, or it refuses this resolver"}
	case refused(test):
		return &UselessError{list, "it refuses this resolver (" + test[0].String() + "): ask through a resolver of your own"}
	}
	return nil
}

// refused tells whether an answer is an error code: Spamhaus and others answer
// 127.255.255.0/24 to those they don't serve. What is not in 127.0.0.0/8 is a
// parked domain's web server.
func refused(answer []netip.Addr) bool {
	for _, ip := range answer {
		b := ip.As4()
		if b[0] != 127 || b[1] == 255 {
			return true
		}
	}
	return false
}

// Listed asks a list that Works about one address.
func (r *Resolver) Listed(ctx context.Context, list string, ip netip.Addr, day time.Time) (signals.Record, error) {
	answer, err := r.ask(ctx, reversed(ip)+"."+list)
	if err != nil {
		return signals.Record{}, fmt.Errorf("%s about %s: %w", list, ip, err)
	}
	if len(answer) > 0 && refused(answer) {
		return signals.Record{}, &UselessError{list, "it answers " + answer[0].String() + " about " + ip.String()}
	}
	rec := record(delivery.SignalBlockList, list, ip, day)
	rec.N = 1
	if len(answer) > 0 {
		rec.K = 1
		for i, a := range answer {
			if i > 0 {
				rec.Detail += " "
			}
			rec.Detail += a.String()
		}
	}
	return rec, nil
}

// Score asks Sender Score about an address: the last octet of the answer is
// the score. false: it has none.
func (r *Resolver) Score(ctx context.Context, zone string, ip netip.Addr, day time.Time) (signals.Record, bool, error) {
	if !ip.Is4() {
		return signals.Record{}, false, nil
	}
	answer, err := r.ask(ctx, reversed(ip)+"."+zone)
	if err != nil {
		return signals.Record{}, false, fmt.Errorf("%s about %s: %w", zone, ip, err)
	}
	if len(answer) == 0 {
		return signals.Record{}, false, nil
	}
	b := answer[0].As4()
	if b[0] != 127 || b[1] != 0 || b[3] > 100 {
		return signals.Record{}, false, &UselessError{zone, "it answers " + answer[0].String() + " about " + ip.String()}
	}
	rec := record(delivery.SignalSenderScore, "Sender Score", ip, day)
	rec.Value = float64(b[3])
	rec.Detail = strconv.Itoa(int(b[3]))
	return rec, true, nil
}

func record(kind delivery.SignalKind, source string, ip netip.Addr, day time.Time) signals.Record {
	return signals.Record{
		Signal: delivery.Signal{Day: signals.Day(day), IP: ip.String(), Kind: kind, Verified: true},
		Source: source,
		Key:    signals.Key("public", kind.String(), source, ip.String(), day.UTC().Format(time.DateOnly)),
	}
}
