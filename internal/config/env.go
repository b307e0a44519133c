package config

import (
	"encoding"
	"errors"
	"fmt"
	"strconv"
)

// variable is an environment variable and the field it sets.
type variable struct {
	name  string
	field any // *string, *int or encoding.TextUnmarshaler
	key   string
}

// variables lists every environment variable but REPUTE_CONFIG. There is none
// for a password: the environment is readable by too many.
func (c *Config) variables() []variable {
	return []variable{
		{"REPUTE_DB", &c.Store.DB, "store.db"},
		{"REPUTE_MEMORY_LIMIT", &c.Store.MemoryLimit, "store.memory_limit"},
		{"REPUTE_THREADS", &c.Store.Threads, "store.threads"},
		{"REPUTE_ZONE", &c.Time.Zone, "time.zone"},
		{"REPUTE_YEAR", &c.Time.Year, "time.year"},
		{"REPUTE_LANG", &c.Report.Lang, "report.lang"},
		{"REPUTE_SCHEDULE", &c.Report.Schedule, "report.schedule"},
		{"REPUTE_SMTP_HOST", &c.SMTP.Host, "smtp.host"},
		{"REPUTE_SMTP_PORT", &c.SMTP.Port, "smtp.port"},
		{"REPUTE_SMTP_TLS", &c.SMTP.TLS, "smtp.tls"},
		{"REPUTE_SMTP_USER", &c.SMTP.User, "smtp.user"},
		{"REPUTE_SMTP_PASSWORD_FILE", &c.SMTP.PasswordFile, "smtp.password_file"},
		{"REPUTE_SMTP_FROM", &c.SMTP.From, "smtp.from"},
	}
}

// overlay sets what the environment names and checks the result. A fault is
// told with the variable's name.
func (c *Config) overlay(env func(string) string) error {
	var all []error
	from := map[string]string{} // key → variable
	for _, v := range c.variables() {
		text := env(v.name)
		if text == "" {
			continue
		}
		from[v.key] = v.name
		if err := set(v.field, text); err != nil {
			all = append(all, &Error{File: "environment", Key: v.name, Msg: err.Error()})
		}
	}
	if len(from) == 0 || len(all) > 0 {
		return errors.Join(all...)
	}
	check := checker{file: "environment"}
	check.check(c)
	for _, e := range check.errs {
		if name := from[e.Key]; name != "" {
			e.Key = name
		}
	}
	return check.err()
}

func set(field any, text string) error {
	switch f := field.(type) {
	case *string:
		*f = text
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		*f = n
	case encoding.TextUnmarshaler:
		return f.UnmarshalText([]byte(text))
	default:
		return fmt.Errorf("no way to set a %T", field)
	}
	return nil
}
