// Package inference infers, from hourly first outcomes, the reputation that a
// receiver keeps of a sending IP: a score with an interval, its history, and
// the cause of each change. docs/model.md gives the equations under the names
// used here.
//
// It reads no clock, no file and no database, uses no randomness, and goes
// through its tables in sorted order: the same evidence gives the same bits.
package inference

import (
	"net/netip"
	"time"
)

// Part is one of the summands of the log-odds: its variance without any
// evidence, and the half-life with which it forgets.
type Part struct {
	Variance float64 // v∞
	HalfLife float64 // days
}

// Config holds the model's assumptions. Defaults returns the measured ones.
type Config struct {
	Zone     *time.Location // of days
	Networks []Network      // named ranges of our own; other IPs fall into their /24 or /48

	Level      float64 // initial mean of the usual level μ, log-odds
	Mu         Part    // the usual level
	IP         Part    // a_i: this sending IP
	Net        Part    // g: its neighbourhood
	Receiver   Part    // b_r: the receiver's strictness
	Private    Part    // u_ir: between this IP and this receiver
	Stream     Part    // κ_s: transient, of what is sent
	Rho        float64 // over-dispersion: batches of mail are not independent
	Noise      float64 // τ²: how the log-odds of a few hours scatter; learned by receiver
	JumpHazard float64 // private jumps a day
	JumpVar    float64 // variance that a private jump adds
	SharedVar  float64 // variance that a shared jump adds
	Reported   float64 // variance added to a score that is reported
	Alarmed    float64 // variance added when a fall is judged

	Folder FolderConfig

	// Alarm: a fall is told when P(score < reference − 10) reaches Certainty
	// and the mean has fallen by MinDrop; then not again for Refractory days.
	// The busier the pair, the more often it is judged, and the surer it must be.
	Certainty  float64
	MinDrop    float64
	Refractory int
}

// Network is a named range of sending IPs: a cloud, a site, a pool.
type Network struct {
	Name string
	CIDR netip.Prefix
}

// Defaults returns the assumptions with which docs/model.md's figures were
// measured.
func Defaults() Config {
	return Config{
		Zone:  time.UTC,
		Level: 3, Mu: Part{1, 1e6}, IP: Part{1.5, 60}, Net: Part{0.5, 60}, Receiver: Part{1, 120},
		Private: Part{1, 20}, Stream: Part{0.005, 3},
		Rho: 0.01, Noise: 0.1, JumpHazard: 0.004, JumpVar: 9, SharedVar: 9, Reported: 0.06, Alarmed: 0.03,
		Folder:    folderDefaults(),
		Certainty: 0.84, MinDrop: 15, Refractory: 10,
	}
}

// Neighbourhood names the network of a sending IP: a configured one, else its
// /24 or /48; "" for a source that is no address.
func (c *Config) Neighbourhood(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	for _, n := range c.Networks {
		if n.CIDR.Contains(addr) {
			return n.Name
		}
	}
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	p, _ := addr.Prefix(bits)
	return p.String()
}
