package analysis

import (
	"time"

	"repute/inference"
	"repute/reports"
)

// spread counts pairs and those of them that fell, by the causes that take in
// several: an IP's receivers, a receiver's IPs. A cause is the model's best
// explanation, and it may stand on two falls of many: readers are told.
type spread struct{ fell, of map[string]int }

func newSpread() spread { return spread{map[string]int{}, map[string]int{}} }

func (s spread) add(k pairKey, fell bool) {
	for _, cause := range []string{"ip " + k.ip, "receiver " + k.receiver} {
		s.of[cause]++
		if fell {
			s.fell[cause]++
		}
	}
}

// tell fills in how far a fall's cause reaches.
func (s spread) tell(c *reports.Change) {
	cause := c.Cause + " " + c.Receiver.ID
	if c.Cause == "ip" {
		cause = "ip " + c.IP
	}
	c.Fell, c.Of = s.fell[cause], s.of[cause]
}

// tellSpread counts the pairs of a report.
func tellSpread(f *reports.Findings) {
	s := newSpread()
	for i := range f.Pairs {
		p := &f.Pairs[i]
		s.add(pairKey{p.IP, p.Receiver.ID}, p.Fall != nil)
	}
	for i := range f.Changes {
		s.tell(&f.Changes[i])
	}
	for i := range f.Pairs {
		if c := f.Pairs[i].Fall; c != nil { // it may be of before the period
			s.tell(c)
		}
	}
}

// spreadDays is how far back an explanation looks for falls, as for evidence.
const spreadDays = 30

// spreadAt counts the pairs known at the end of a day, and their falls of the
// days before.
func spreadAt(day time.Time, estimates []inference.Estimate, changes []inference.Change) spread {
	end := day.AddDate(0, 0, 1)
	from := end.AddDate(0, 0, -spreadDays)
	fell := map[pairKey]bool{}
	for i := range changes {
		if c := &changes[i]; c.Drop > 0 && !c.Time.Before(from) && c.Time.Before(end) {
			fell[pairKey{c.IP, c.Receiver}] = true
		}
	}
	s := newSpread()
	for i := range estimates {
		if e := &estimates[i]; e.Day.Equal(day) {
			k := pairKey{e.IP, e.Receiver}
			s.add(k, fell[k])
		}
	}
	return s
}
