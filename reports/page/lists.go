package page

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"repute/reports"
)

// lists is three cards: list quality, volume, spam folder.
type lists struct {
	Title   string
	Streams []streamRow
	Volume  *volume
	Folders []folderRow
	Seen    int // receivers with signals
	Blind   int // receivers without
}

type streamRow struct {
	reports.Stream
	Share  float64 // of unknown users, per cent
	Change string  // in per cent, "~" where it is not clear, "" without a week before
	Watch  bool
}

// watchShare is the share of unknown users to watch from, per cent;
// fewUsers is how many there must be.
const watchShare, fewUsers, maxStreams = 2.0, 10, 8

type volume struct {
	Title, Text, Describe string
	Bars                  []volumeBar
}

type volumeBar struct {
	X, Width, Y, Height float64 // per cent
	InPeriod            bool
}

type folderRow struct {
	IP, Receiver string
	Words        []string
}

func listsPanel(b *builder) any {
	p := &lists{}
	watch := 0
	for i := range b.Streams[:min(len(b.Streams), maxStreams)] {
		row := newStreamRow(b, &b.Streams[i])
		if row.Watch {
			watch++
		}
		p.Streams = append(p.Streams, row)
	}
	warm := 0
	for i := range b.Volumes {
		if b.Volumes[i].Age > 0 {
			warm++
		}
	}
	p.Volume = newVolume(b)
	seen := b.Seen()
	p.Seen, p.Blind = len(seen), max(0, b.Coverage.Receivers-len(seen))
	p.Folders = folderRows(b)
	parts := []string{b.w.Say("lists.clean_none")}
	switch {
	case watch == 1:
		parts[0] = b.w.Say("lists.clean")
	case watch > 1:
		parts[0] = b.w.Say("lists.clean_many", "n", watch)
	}
	if warm > 0 {
		parts = append(parts, b.w.Count("lists.warm", warm))
	}
	if p.Seen > 0 {
		parts = append(parts, b.w.Say("lists.folder_some", "n", p.Seen, "all", p.Seen+p.Blind))
	} else {
		parts = append(parts, b.w.Say("lists.folder_none"))
	}
	p.Title = strings.Join(parts, b.w.Say("lists.and"))
	return p
}

func newStreamRow(b *builder, s *reports.Stream) streamRow {
	row := streamRow{Stream: *s, Share: 100 * float64(s.Unknown) / float64(max(s.First, 1))}
	row.Watch = row.Share >= watchShare && s.Unknown >= fewUsers
	if s.FirstBefore > 0 {
		before := 100 * float64(s.UnknownBefore) / float64(s.FirstBefore)
		row.Change = "~"
		// Two standard errors of the difference of two shares.
		p := float64(s.Unknown+s.UnknownBefore) / float64(s.First+s.FirstBefore)
		se := 100 * math.Sqrt(p*(1-p)*(1/float64(max(s.First, 1))+1/float64(s.FirstBefore)))
		if d := row.Share - before; math.Abs(d) > 2*se && math.Abs(d) >= 0.1 {
			row.Change = strings.Replace(b.w.Decimal(d, 1), "-", "−", 1)
			if d > 0 {
				row.Change = "+" + row.Change
			}
		}
	}
	return row
}

// newVolume draws the newest IP's warm-up, or all mail.
func newVolume(b *builder) *volume {
	var newest *reports.Volume
	total := make([]uint32, len(b.Period.Trend))
	for i := range b.Volumes {
		v := &b.Volumes[i]
		for k, n := range v.Daily {
			total[k] += n
		}
		if v.Age > 0 && (newest == nil || v.Age < newest.Age) {
			newest = v
		}
	}
	daily := total
	v := &volume{Title: b.w.Say("lists.volume")}
	if newest != nil {
		daily = newest.Daily
		v.Title = b.w.Say("lists.volume_warm", "ip", newest.IP, "day", newest.Age)
	}
	most := slices.Max(append([]uint32{0}, daily...))
	if most == 0 {
		return nil
	}
	last := lastDay(daily)
	v.Text = b.w.Say("lists.volume_sub", "last", daily[last], "day", b.Period.Trend[last], "most", most)
	if newest != nil {
		v.Text = b.w.Say("lists.volume_plan", "accepted", newest.Accepted, "day", newest.Last, "plan", math.Ceil(1.2*float64(newest.Accepted)))
	}
	v.Describe = b.w.Say("lists.describe", "first", b.Period.Trend[0], "last", b.Period.Last(), "most", most)
	step := 100 / float64(len(daily))
	for i, n := range daily {
		h := 100 * float64(n) / float64(most)
		v.Bars = append(v.Bars, volumeBar{round2(float64(i) * step), round2(step * 0.8), round2(100 - h), round2(h), !b.Period.Trend[i].Before(b.Period.From)})
	}
	return v
}

func round2(x float64) float64 { return math.Round(100*x) / 100 }

// lastDay is the last day with mail.
func lastDay(daily []uint32) int {
	for i := len(daily) - 1; i > 0; i-- {
		if daily[i] > 0 {
			return i
		}
	}
	return 0
}

// maxFolders bounds the rows about the spam folder.
const maxFolders = 8

func folderRows(b *builder) (rows []folderRow) {
	index := map[[2]string]int{}
	row := func(ip, receiver string) *folderRow {
		k := [2]string{ip, receiver}
		i, ok := index[k]
		if !ok {
			i = len(rows)
			index[k] = i
			rows = append(rows, folderRow{IP: ip, Receiver: receiver})
		}
		return &rows[i]
	}
	for i := range b.Pairs {
		if p := &b.Pairs[i]; p.View != nil && len(rows) < maxFolders {
			r := row(p.IP, p.Receiver.Name)
			r.Words = append(r.Words, b.w.Say("lists.spam_share", "share", 100*p.View.Spam))
		}
	}
	for i := range b.Folders {
		s := &b.Folders[i]
		_, there := index[[2]string{s.IP, s.Receiver.Name}]
		if word := s.Words(b.w); word != "" && (there || len(rows) < maxFolders) {
			r := row(s.IP, s.Receiver.Name)
			r.Words = append(r.Words, word)
		}
	}
	slices.SortStableFunc(rows, func(x, y folderRow) int { return cmp.Or(cmp.Compare(x.Receiver, y.Receiver), cmp.Compare(x.IP, y.IP)) })
	return rows
}
