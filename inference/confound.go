package inference

import (
	"time"
)

// confounders names what went wrong today that is not reputation: our own
// network, a receiver's outage, a bad list. They are looked for in blocks of
// six hours: an hour is too thin, a day hides them.
func (m *Model) confounders(day time.Time) {
	from, to := day.Unix(), day.AddDate(0, 0, 1).Unix()
	for block := from; block < to; block += 6 * 3600 {
		m.connections(block, min(block+6*3600, to))
	}
	m.lists(from, to)
}

// connections looks at refused and lost connections in a block of hours.
func (m *Model) connections(from, to int64) {
	pairs := map[[2]int][2]float64{} // (ip, receiver) → outcomes, failures
	var order [][2]int
	for i := range m.window {
		o := &m.window[i]
		if o.hour < from || o.hour >= to {
			continue
		}
		key := [2]int{o.ip, o.recv}
		v, ok := pairs[key]
		if !ok {
			order = append(order, key)
		}
		v[0] += float64(o.c.First())
		v[1] += float64(o.c.Connection)
		pairs[key] = v
	}
	// An own network that is down fails at most receivers: cells are counted,
	// not messages, so that one big receiver's outage is not taken for it.
	cells, failing := make([]int, len(m.ips)), make([]int, len(m.ips))
	for _, k := range order {
		cells[k[0]]++
		if v := pairs[k]; v[1] > 0.4*v[0] {
			failing[k[0]]++
		}
	}
	own := func(ip int) bool { return cells[ip] >= 4 && failing[ip] >= 3 && 10*failing[ip] > 6*cells[ip] }
	for ip := range cells {
		if own(ip) {
			m.confounder(CauseOwnNetwork, m.ips[ip].name, "", m.ips[ip].name, from)
		}
	}
	n, failed, ips := make([]float64, len(m.receivers)), make([]float64, len(m.receivers)), make([]int, len(m.receivers))
	for _, k := range order {
		if own(k[0]) {
			continue
		}
		v := pairs[k]
		n[k[1]] += v[0]
		failed[k[1]] += v[1]
		if v[1] > 0 {
			ips[k[1]]++
		}
	}
	for r := range n {
		if failed[r] >= 3 && failed[r] > 0.25*n[r] && ips[r] >= 2 {
			m.confounder(CauseOutage, "", m.receivers[r].name, m.receivers[r].name, from)
		}
	}
}

// lists looks for streams with far more unknown users than they usually have.
func (m *Model) lists(from, to int64) {
	n, unknown := make([]float64, len(m.streams)), make([]float64, len(m.streams))
	for i := range m.window {
		if o := &m.window[i]; o.hour >= from && o.hour < to {
			n[o.stream] += float64(o.c.First())
			unknown[o.stream] += float64(o.c.UnknownUser)
		}
	}
	for s := range n {
		if n[s] > 50 && unknown[s] > 10 && unknown[s]/n[s] > 3*m.streams[s].users {
			for i, ip := range m.sendersOf(s, from, to) {
				if i < 3 {
					m.confounder(CauseList, ip, "", m.streams[s].name, from)
				}
			}
		}
	}
}

// sendersOf lists the IPs that sent a stream, in the order of the window.
func (m *Model) sendersOf(stream int, from, to int64) []string {
	seen := map[int]bool{}
	var out []string
	for i := range m.window {
		if o := &m.window[i]; o.stream == stream && o.hour >= from && o.hour < to && !seen[o.ip] {
			seen[o.ip] = true
			out = append(out, m.ips[o.ip].name)
		}
	}
	return out
}

// confounder tells of an event once in three days.
func (m *Model) confounder(c Cause, ip, receiver, entity string, from int64) {
	at := time.Unix(from, 0).In(m.cfg.Zone)
	for i := len(m.changes) - 1; i >= 0; i-- {
		old := &m.changes[i]
		if old.Cause == c && old.IP == ip && old.Receiver == receiver && old.Entity == entity && at.Sub(old.Time) < 72*time.Hour {
			return
		}
	}
	m.changes = append(m.changes, Change{
		Time: at, Noticed: at.Add(6 * time.Hour), IP: ip, Receiver: receiver, Cause: c, Entity: entity, Confidence: 0.9,
	})
}
