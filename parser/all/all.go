// Package all lists the log formats that can be read.
package all

import (
	"repute/parser"
	"repute/parser/exim"
	"repute/parser/kumomta"
	"repute/parser/opensmtpd"
	"repute/parser/postfix"
	"repute/parser/powermta"
)

// Formats lists them. Where two find as much in a file, the first is taken.
func Formats() []parser.Format {
	return []parser.Format{
		{Name: "syslog", New: func(o parser.Options) parser.Parser {
			return parser.NewSyslog(o, postfix.New(), exim.New(), opensmtpd.New())
		}, Marks: []string{" postfix/", " exim[", " exim4[", " mta connected", " smtp connected address="}},
		{Name: "exim", New: exim.NewLog, Marks: []string{" Start queue run: pid=", " daemon started: pid="}},
		{Name: "kumomta", New: kumomta.New},
		{Name: "powermta", New: powermta.New},
	}
}
