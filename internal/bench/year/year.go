// Package year makes databases of hourly evidence, as large as wanted, for
// measurements and tests.
package year

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"repute/internal/store"
)

// Start is the first day, a Monday.
var Start = time.Date(2025, 11, 24, 0, 0, 0, 0, time.UTC)

// Build makes the database: few receivers get most of the mail, and each IP
// falls at a receiver of its own for some weeks.
func Build(path string, ips, receivers, weeks int) (cells int, err error) {
	ctx := context.Background()
	s, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	random := rand.New(rand.NewPCG(1, 2))
	first := &store.Batch{Stream: store.StreamState{ID: 1, Path: "mail.log", Format: "postfix"}}
	for i := range ips {
		o := store.Origin{ID: int32(i + 1)}
		o.Host, o.Tag, o.LocalIP, o.Domain = "mx", "postfix", fmt.Sprintf("203.0.%d.%d", 100+i/8, 10+i%8), "news.example.com"
		first.Origins = append(first.Origins, o)
	}
	for r := range receivers {
		first.Receivers = append(first.Receivers, store.Named{ID: int32(r + 1), Name: fmt.Sprintf("receiver-%03d.example", r)})
		first.Domains = append(first.Domains, store.Named{ID: int32(r + 1), Name: fmt.Sprintf("receiver-%03d.example", r)})
	}
	position := int64(0)
	for week := range weeks {
		b := &store.Batch{Stream: first.Stream, From: position}
		if week == 0 {
			b = first
		}
		var rows []store.Evidence
		for day := range 7 {
			rows = append(rows, dayOf(random, week, day, ips, receivers)...)
		}
		b.Counts = store.CountsOf(rows...)
		cells += len(rows)
		position++
		b.Lines, b.Stream.Bytes, b.Stream.Lines, b.Stream.Attempts = int64(len(rows)), position, int64(cells), int64(cells)
		if err := s.Commit(ctx, b); err != nil {
			return cells, err
		}
	}
	return cells, nil
}

func dayOf(random *rand.Rand, week, day, ips, receivers int) (out []store.Evidence) {
	for i := range ips {
		for r := range receivers {
			mails := 60 / float64(r+1)
			for range int(min(3, mails)) + flip(random, min(3, mails)-float64(int(min(3, mails)))) {
				e := store.Evidence{Hour: Start.AddDate(0, 0, 7*week+day).Unix() + int64(random.IntN(24))*3600, Origin: int32(i + 1), Receiver: int32(r + 1), Domain: int32(r + 1)}
				good := 0.97
				if fell := (7*i + 3) % 50; r == i%20 && week >= fell && week < fell+6 {
					good = 0.3
				}
				for range max(1, int(mails/3)) {
					if random.Float64() < good {
						e.Accepted++
					} else {
						e.RejectPolicy++
					}
				}
				e.Attempts = e.First()
				out = append(out, e)
			}
		}
	}
	return out
}

func flip(random *rand.Rand, p float64) int {
	if random.Float64() < p {
		return 1
	}
	return 0
}
