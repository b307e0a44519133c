package config

import "fmt"

// check tells of what can be read but not meant.
func (c *checker) check(cfg *Config) {
	for i := range cfg.Senders {
		s := &cfg.Senders[i]
		if s.IP.IsValid() == (s.Pool != "") {
			c.fault(fmt.Sprintf("sender[%d].ip", i+1), "give either ip or pool")
		}
		if s.Host == "" && s.Tag == "" && s.Transport == "" && s.SenderDomain == "" {
			c.fault(fmt.Sprintf("sender[%d].host", i+1), "give at least one of host, tag, transport, sender_domain")
		}
	}
	for i := range cfg.Networks {
		if n := &cfg.Networks[i]; n.Name == "" || !n.CIDR.IsValid() {
			c.fault(fmt.Sprintf("network[%d].name", i+1), "give name and cidr")
		}
	}
	if y := cfg.Time.Year; y != 0 && (y < 1990 || y > 2200) {
		c.fault("time.year", "%d is no year of a mail log", y)
	}
}

// overlay lays the environment over the file.
func (c *Config) overlay(env func(string) string) error {
	if db := env("REPUTE_DB"); db != "" {
		c.Store.DB = db
	}
	return nil
}
