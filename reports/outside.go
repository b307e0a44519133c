package reports

import (
	"fmt"
	"strings"

	"repute/delivery"
	"repute/reports/words"
)

// Words is what an outside source said, in words; "" where it is not about how
// a receiver treats mail.
func (s *FolderSign) Words(w *words.Words) string {
	level := fmt.Sprintf("%.0f", s.Value)
	key := "lists." + s.Kind.String()
	switch s.Kind {
	case delivery.SignalGPT:
		return w.Say(key, "tier", w.Say("lists.tier."+level))
	case delivery.SignalSNDS:
		return w.Say(key, "colour", w.Say("lists.colour."+level))
	case delivery.SignalSpamRate, delivery.SignalErrorRate:
		return w.Say(key, "share", w.Decimal(100*s.Value, 2))
	case delivery.SignalSeed, delivery.SignalComplaint, delivery.SignalEngagement, delivery.SignalTrap:
		return w.Say(key, "n", s.N, "k", s.K)
	}
	return ""
}

// Words names the public scores of an address, those that were asked for.
func (p *PublicScore) Words(w *words.Words) string {
	var list []string
	if p.SenderScore != nil {
		list = append(list, fmt.Sprintf("Sender Score %.0f", *p.SenderScore))
	}
	if p.Talos != nil {
		list = append(list, "Talos "+w.Say(p.TalosKey()))
	}
	if len(p.Lists) > 0 {
		list = append(list, w.Say("public.listed", "list", strings.Join(p.Lists, ", ")))
	} else if p.ListsAsked {
		list = append(list, w.Say("public.not_listed"))
	}
	return strings.Join(list, " | ")
}

// TalosKey is the key of the word for Talos' verdict; "" where it was not
// asked.
func (p *PublicScore) TalosKey() string {
	switch {
	case p.Talos == nil:
		return ""
	case *p.Talos == 0:
		return "public.talos_0"
	case *p.Talos == 1:
		return "public.talos_1"
	}
	return "public.talos_2"
}
