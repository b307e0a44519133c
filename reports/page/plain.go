package page

import "repute/reports"

// The panels that print records as they are.

type todo struct{ Actions []reports.Action }

func todoPanel(b *builder) any {
	if len(b.Actions) == 0 {
		return nil
	}
	return &todo{b.Actions}
}

type others struct{ Others []reports.Change }

// maxEvents bounds the list of what is not reputation.
const maxEvents = 20

func othersPanel(b *builder) any {
	if len(b.Others) == 0 {
		return nil
	}
	return &others{b.Others[:min(len(b.Others), maxEvents)]}
}

type method struct{ Lines []string }

func methodPanel(b *builder) any {
	m := &method{}
	for _, key := range []string{"m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10"} {
		m.Lines = append(m.Lines, b.w.Say("method."+key, "zone", b.Period.From.Location().String()))
	}
	return m
}
