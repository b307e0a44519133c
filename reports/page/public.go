package page

import (
	"cmp"
	"slices"

	"repute/reports"
)

// public sets what everybody can see of a sending IP beside what each
// receiver does.
type public struct {
	Title string
	Rows  []publicRow
}

type publicRow struct {
	reports.PublicScore
	Lowest *reports.Pair // nil: no known score
	Middle float64
	Agrees string
	Missed bool
}

// maxPublic bounds the rows, the lowest private scores first.
const maxPublic = 40

func publicPanel(b *builder) any {
	if len(b.Public) == 0 {
		return nil
	}
	p := &public{}
	missed := 0
	for i := range b.Public {
		row := newPublicRow(b, &b.Public[i])
		if row.Missed {
			missed++
		}
		p.Rows = append(p.Rows, row)
	}
	slices.SortStableFunc(p.Rows, func(x, y publicRow) int { return cmp.Compare(lowest(&x), lowest(&y)) })
	p.Rows = p.Rows[:min(len(p.Rows), maxPublic)]
	p.Title = b.w.Say("public.agree")
	if missed > 0 {
		p.Title = b.w.Say("public.miss", "n", missed)
	}
	return p
}

func lowest(r *publicRow) float64 {
	if r.Lowest == nil {
		return 101
	}
	return r.Lowest.Score
}

func newPublicRow(b *builder, s *reports.PublicScore) publicRow {
	row := publicRow{PublicScore: *s, Agrees: b.w.Say("public.no_data")}
	var scores []float64
	for i := range b.Pairs {
		if p := &b.Pairs[i]; p.IP == s.IP && !p.Unknown {
			scores = append(scores, p.Score)
			if row.Lowest == nil || p.Score < row.Lowest.Score {
				row.Lowest = p
			}
		}
	}
	if len(scores) == 0 {
		return row
	}
	slices.Sort(scores)
	row.Middle = scores[len(scores)/2]
	asked := s.SenderScore != nil || s.Talos != nil || s.ListsAsked
	bad := s.SenderScore != nil && *s.SenderScore < 80 || s.Talos != nil && *s.Talos < 1 || len(s.Lists) > 0
	switch {
	case !asked:
	case !bad && row.Lowest.Score < 80:
		row.Agrees, row.Missed = b.w.Say("public.missed"), true
	case bad && row.Lowest.Score >= 80:
		row.Agrees = b.w.Say("public.strict")
	default:
		row.Agrees = b.w.Say("public.fine")
	}
	return row
}
