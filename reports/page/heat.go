package page

import "repute/reports"

// The map shows so many; the rest is behind the table's search.
const heatIPs, heatReceivers = 24, 10

type heat struct {
	reports.Heat
	Title  string
	Period reports.Period
}

func heatPanel(b *builder) any {
	h := heat{Heat: reports.NewHeat(b.Findings, heatIPs, heatReceivers), Period: b.Period}
	if len(h.Rows) == 0 {
		return nil
	}
	h.Title = h.Heat.Title(b.Findings, b.w)
	return &h
}
