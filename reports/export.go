package reports

import (
	"math"
	"time"

	"repute/delivery"
)

// Export is a report for other programs. Its JSON names are relied on:
// docs/report-format.md lists them, more may be added, none changes. Codes are
// not translated.
type Export struct {
	Schema   int             `json:"schema"` // 1
	Period   exportPeriod    `json:"period"`
	Coverage exportCoverage  `json:"coverage"`
	Pairs    []exportPair    `json:"pairs"`
	Changes  []exportChange  `json:"changes"`
	Events   []exportChange  `json:"events"` // what is not reputation
	Replies  []exportReply   `json:"replies"`
	Actions  []exportAction  `json:"actions"`
	Reasons  []exportReasons `json:"reasons"`
	Streams  []exportStream  `json:"streams"`
	Delays   []exportDelay   `json:"delays"`
	Signals  []exportSignal  `json:"signals"`
	Public   []exportPublic  `json:"public"`
	Warmups  []exportWarmup  `json:"warmups"`
}

type exportPeriod struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"` // the last day
	Zone string `json:"zone"`
}

type exportCoverage struct {
	Files          int      `json:"files"`
	Formats        []string `json:"formats"`
	Lines          int64    `json:"lines"`
	NotUnderstood  int64    `json:"not_understood"`
	Irrelevant     int64    `json:"irrelevant"`
	Understood     float64  `json:"understood"` // per cent
	Messages       int64    `json:"messages"`
	Attempts       int64    `json:"attempts"`
	FirstOutcomes  int64    `json:"first_outcomes"`
	Accepted       int64    `json:"accepted"`
	FirstBefore    int64    `json:"first_outcomes_week_before"`
	AcceptedBefore int64    `json:"accepted_week_before"`
	IPs            int      `json:"ips"`
	Receivers      int      `json:"receivers"`
	Known          int      `json:"known"`
	Borrowed       int      `json:"borrowed"`
	Unknown        int      `json:"unknown"`
	UnknownSources []string `json:"unknown_sources"`
	FolderSeen     int      `json:"receivers_with_folder_signals"`
}

type exportPair struct {
	IP         string   `json:"ip"`
	Receiver   string   `json:"receiver"`
	Network    string   `json:"network"`
	Score      float64  `json:"score"`
	Lo         float64  `json:"lo"`
	Hi         float64  `json:"hi"`
	Band       string   `json:"band"`
	Unknown    bool     `json:"unknown"`
	Borrowed   bool     `json:"borrowed"`
	Needs      int      `json:"needs"`
	View       string   `json:"view"`
	Full       *float64 `json:"full"`
	SpamShare  *float64 `json:"spam_share"`
	WeekBefore *float64 `json:"week_before"`
	Clear      bool     `json:"clear_change"`
	Evidence   uint32   `json:"evidence"`
	First      uint32   `json:"first_outcomes"`
	Accepted   uint32   `json:"accepted"`
	Deferred   uint32   `json:"deferred"`
	Refused    uint32   `json:"refused"`
	Reason     string   `json:"reason"`
	Cause      string   `json:"cause"`
	Since      string   `json:"since"`
	Recovered  bool     `json:"recovered"`
}

type exportChange struct {
	Time       string  `json:"time"`
	IP         string  `json:"ip"`
	Receiver   string  `json:"receiver"`
	Cause      string  `json:"cause"`
	Entity     string  `json:"entity"`
	Before     float64 `json:"before"`
	After      float64 `json:"after"`
	Drop       float64 `json:"drop"` // less than 0: a recovery
	Confidence float64 `json:"confidence"`
}

type exportReply struct {
	IP       string `json:"ip"`
	Receiver string `json:"receiver"`
	Count    int64  `json:"count"`
	Code     uint16 `json:"code"`
	Text     string `json:"text"`
	Reason   string `json:"reason"`
	Help     string `json:"help"`
	First    string `json:"first"`
	Last     string `json:"last"`
}

type exportAction struct {
	Action      string  `json:"action"`
	IP          string  `json:"ip"`
	Receiver    string  `json:"receiver"`
	Entity      string  `json:"entity"`
	Better      string  `json:"better_ip"`
	BetterScore float64 `json:"better_score"`
	Help        string  `json:"help"`
}

type exportReasons struct {
	Day         string `json:"day"`
	First       uint32 `json:"first_outcomes"`
	Accepted    uint32 `json:"accepted"`
	Refused     uint32 `json:"refused"`
	Deferred    uint32 `json:"deferred"`
	RateLimited uint32 `json:"rate_limited"`
	Content     uint32 `json:"content"`
	Config      uint32 `json:"config"`
	UnknownUser uint32 `json:"unknown_user"`
	MailboxFull uint32 `json:"mailbox_full"`
	Greylisted  uint32 `json:"greylisted"`
	Connection  uint32 `json:"connection"`
	Other       uint32 `json:"other"`
}

type exportStream struct {
	Stream        string `json:"stream"`
	First         int64  `json:"first_outcomes"`
	Unknown       int64  `json:"unknown_users"`
	FirstBefore   int64  `json:"first_outcomes_week_before"`
	UnknownBefore int64  `json:"unknown_users_week_before"`
}

type exportDelay struct {
	IP       string   `json:"ip"`
	Receiver string   `json:"receiver"`
	Mails    int64    `json:"mails"`
	Half     float64  `json:"half_s"`
	Nine     float64  `json:"nine_in_ten_s"`
	Before   *float64 `json:"nine_in_ten_before_s"`
}

type exportSignal struct {
	Day      string  `json:"day"`
	IP       string  `json:"ip"`
	Receiver string  `json:"receiver"`
	Kind     string  `json:"kind"`
	N        int64   `json:"n"`
	K        int64   `json:"k"`
	Value    float64 `json:"value"`
}

type exportPublic struct {
	IP          string   `json:"ip"`
	SenderScore *float64 `json:"sender_score"`
	Talos       *float64 `json:"talos"`
	Lists       []string `json:"lists"`
	ListsAsked  bool     `json:"lists_asked"`
}

type exportWarmup struct {
	IP       string `json:"ip"`
	Day      int    `json:"day"`
	Last     string `json:"last"`
	Accepted uint32 `json:"accepted"`
}

// NewExport turns findings into what other programs read.
func NewExport(f *Findings) *Export {
	c := &f.Coverage
	e := &Export{
		// A list without rows is [], not null.
		Pairs: []exportPair{}, Replies: []exportReply{}, Actions: []exportAction{}, Reasons: []exportReasons{}, Streams: []exportStream{},
		Delays: []exportDelay{}, Signals: []exportSignal{}, Public: []exportPublic{}, Warmups: []exportWarmup{},

		Schema: 1,
		Period: exportPeriod{ID: PeriodID(f.Period), From: date(f.Period.From), To: date(f.Period.Last()), Zone: f.Period.From.Location().String()},
		Coverage: exportCoverage{
			Files: len(c.Files), Formats: c.Formats, Lines: c.Lines, NotUnderstood: c.NotUnderstood, Irrelevant: c.Irrelevant,
			Understood: round(c.Understood(), 2), Messages: c.Messages, Attempts: c.Attempts, FirstOutcomes: c.FirstOutcomes, Accepted: c.Accepted,
			FirstBefore: c.FirstBefore, AcceptedBefore: c.AcceptedBefore, IPs: c.IPs, Receivers: c.Receivers,
			Known: c.Known, Borrowed: c.Borrowed, Unknown: c.Unknown, UnknownSources: c.UnknownSources, FolderSeen: len(f.Seen()),
		},
		Changes: exportChanges(f.Changes), Events: exportChanges(f.Others),
	}
	for i := range f.Pairs {
		e.Pairs = append(e.Pairs, newExportPair(&f.Pairs[i]))
	}
	for _, q := range f.Quotes {
		e.Replies = append(e.Replies, exportReply{q.IP, q.Receiver.ID, q.Count, q.Code, q.Text, q.Reason.String(), q.Link, moment(q.From), moment(q.To)})
	}
	for _, a := range f.Actions {
		e.Actions = append(e.Actions, exportAction{a.Code, a.IP, a.Receiver.ID, a.Entity, a.Better, round(a.Score, 1), a.Link})
	}
	for i, d := range f.Period.Trend {
		if !d.Before(f.Period.From) && i < len(f.Daily) {
			e.Reasons = append(e.Reasons, newExportReasons(d, &f.Daily[i]))
		}
	}
	for _, s := range f.Streams {
		e.Streams = append(e.Streams, exportStream{s.Name, s.First, s.Unknown, s.FirstBefore, s.UnknownBefore})
	}
	e.outside(f)
	return e
}

func (e *Export) outside(f *Findings) {
	for _, d := range f.Delays {
		out := exportDelay{IP: d.IP, Receiver: d.Receiver.ID, Mails: d.Mails, Half: round(d.Half, 1), Nine: round(d.Nine, 1)}
		if d.Before > 0 {
			out.Before = pointer(d.Before, 1)
		}
		e.Delays = append(e.Delays, out)
	}
	for _, s := range f.Folders {
		e.Signals = append(e.Signals, exportSignal{date(s.Day), s.IP, s.Receiver.ID, s.Kind.String(), s.N, s.K, s.Value})
	}
	for _, p := range f.Public {
		e.Public = append(e.Public, exportPublic(p))
	}
	for _, v := range f.Volumes {
		if v.Age > 0 {
			e.Warmups = append(e.Warmups, exportWarmup{v.IP, v.Age, date(v.Last), v.Accepted})
		}
	}
}

func newExportPair(p *Pair) exportPair {
	out := exportPair{
		IP: p.IP, Receiver: p.Receiver.ID, Network: p.Network, Score: round(p.Score, 1), Lo: round(p.Lo, 1), Hi: round(p.Hi, 1),
		Band: p.Band, Unknown: p.Unknown, Borrowed: p.Borrowed, Needs: p.Needs, View: "smtp", Evidence: p.Evidence,
		First: p.Counts.First(), Accepted: p.Counts.Accepted, Deferred: p.Deferred(), Refused: p.Refused(),
		Reason: p.Reason.String(), Recovered: p.Recovered,
	}
	if p.Unknown {
		out.Band = "unknown"
	}
	if p.View != nil {
		out.View, out.Full, out.SpamShare = "full", pointer(p.View.Score, 1), pointer(p.View.Spam, 3)
	}
	if p.Week != nil {
		out.WeekBefore, out.Clear = pointer(p.Week.Before, 1), p.Week.Clear
	}
	if p.Fall != nil {
		out.Cause, out.Since = p.Fall.Cause, moment(p.Fall.Since)
	}
	return out
}

func exportChanges(list []Change) []exportChange {
	out := []exportChange{}
	for _, c := range list {
		out = append(out, exportChange{
			moment(c.Since), c.IP, c.Receiver.ID, c.Cause, c.Entity, round(c.Before, 1), round(c.After, 1), round(c.Drop, 1), round(c.Confidence, 3),
		})
	}
	return out
}

func newExportReasons(day time.Time, c *delivery.Counts) exportReasons {
	return exportReasons{
		Day: date(day), First: c.First(), Accepted: c.Accepted, Refused: c.RejectPolicy + c.RejectGeneric, Deferred: c.DeferPolicy + c.DeferSlow,
		RateLimited: c.Throttled, Content: c.Content, Config: c.Config, UnknownUser: c.UnknownUser, MailboxFull: c.MailboxFull,
		Greylisted: c.Greylisted + c.DeferQuick, Connection: c.Connection, Other: c.Other,
	}
}

func date(t time.Time) string   { return t.Format(time.DateOnly) }
func moment(t time.Time) string { return t.Format(time.RFC3339) }

func round(x float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(x*scale) / scale
}

func pointer(x float64, digits int) *float64 {
	x = round(x, digits)
	return &x
}
