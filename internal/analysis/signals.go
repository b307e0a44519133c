package analysis

import (
	"context"
	"slices"

	"repute/delivery"
	"repute/internal/sender"
	"repute/internal/store"
)

// Signals lists what outside sources say, each under the name of the sending
// IP or pool that the message it speaks of left from, where that is known.
func (a *Analysis) Signals(ctx context.Context) ([]store.Signal, error) {
	list, err := a.store.Signals(ctx)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if o := list[i].Origin; o > 0 && int(o) <= len(a.sources) {
			list[i].IP = a.source(o)
		}
		if r, ok := a.rules.Lookup(list[i].Receiver); ok {
			list[i].Receiver = r.ID
		}
	}
	return list, nil
}

// folderSignals are the signals in the form in which the model takes them.
func (a *Analysis) folderSignals(ctx context.Context) ([]delivery.Signal, error) {
	list, err := a.Signals(ctx)
	out := make([]delivery.Signal, len(list))
	for i := range list {
		out[i] = list[i].Signal
	}
	return out, err
}

// Sending tells whether an address or pool is one of ours by the logs.
func (a *Analysis) Sending(name string) bool {
	return slices.ContainsFunc(a.sources, func(s sender.Source) bool { return s.Name == name })
}

// Sources lists the sending IPs, pools and unresolved hosts of the logs.
func (a *Analysis) Sources() []string {
	var out []string
	for _, s := range a.sources {
		out = append(out, s.Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
