package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Letter is a row of the outbox: a mail to one recipient and what became of it.
type Letter struct {
	ID        string // Message-ID without <>: one for each report and recipient
	Period    string
	From, To  string // of the envelope
	State     State
	Tries     int
	Unsure    int // tries after which the mail may or may not have arrived
	Queued    time.Time
	Next      time.Time // not before
	LastError string
	Body      []byte // RFC 5322; empty once it was sent

	Clipped bool // Gmail will cut the HTML; told once, not kept in the outbox
}

// State is where a letter stands.
type State string

// The states.
const (
	Queued State = "queued" // waits for its first or next try
	Sent   State = "sent"   // a server took it
	Failed State = "failed" // given up: refused, too old, or twice unsure
)

// Outbox keeps letters. Each call is durable when it returns.
type Outbox interface {
	// Add puts a letter in; false where one with its ID is there already.
	Add(ctx context.Context, l Letter) (bool, error)
	// Letters returns all letters, the oldest first.
	Letters(ctx context.Context) ([]Letter, error)
	// Update replaces the letter of the same ID.
	Update(ctx context.Context, l Letter) error
}

// Submitter hands a letter to a mail server. A nil error means that the
// server took it, a *RefusedError that it never will, an *UnsureError that
// it may have; any other error, that it did not.
type Submitter interface {
	Submit(ctx context.Context, l *Letter) error
}

// RefusedError tells that the server refused this letter for good: 5yz,
// RFC 5321 section 4.2.1.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }
func (e *RefusedError) Unwrap() error { return e.Err }

// UnsureError tells that the whole letter went out and no reply came back:
// it may have arrived (RFC 1047 is about this gap).
type UnsureError struct{ Err error }

func (e *UnsureError) Error() string { return "no reply after the whole message: " + e.Err.Error() }
func (e *UnsureError) Unwrap() error { return e.Err }

const (
	// maxAge is how long a letter is tried, RFC 5321 section 4.5.4.1.
	maxAge = 5 * 24 * time.Hour
	// maxUnsure stops a server that takes letters and never says so from
	// being sent a third copy.
	maxUnsure = 2
)

// Sender sends what is due.
type Sender struct {
	Outbox Outbox
	Submit Submitter
	Now    func() time.Time
	Log    *slog.Logger
}

// Result counts the letters of the outbox after a run.
type Result struct {
	Sent   int // in this run
	Queued int // still waiting
	Failed int // given up in this run
}

// Run tries each letter that is due once. Its error is of the outbox or of
// the context; what servers say is in the letters.
func (s *Sender) Run(ctx context.Context) (Result, error) {
	var r Result
	letters, err := s.Outbox.Letters(ctx)
	if err != nil {
		return r, fmt.Errorf("outbox: %w", err)
	}
	for i := range letters {
		l := &letters[i]
		if l.State == Queued && !l.Next.After(s.Now()) {
			if err := s.try(ctx, l); err != nil {
				return r, err
			}
			switch l.State {
			case Sent:
				r.Sent++
			case Failed:
				r.Failed++
			}
		}
		if l.State == Queued {
			r.Queued++
		}
	}
	return r, nil
}

// try sends one letter. What is known before it starts is written first: a
// crash in the middle counts as a try, and the next one waits its time.
func (s *Sender) try(ctx context.Context, l *Letter) error {
	l.Tries++
	l.Next = s.Now().Add(backOff(l.Tries))
	l.LastError = "interrupted while sending"
	if err := s.Outbox.Update(ctx, *l); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	err := s.Submit.Submit(ctx, l)
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	s.settle(l, err)
	s.tell(l)
	// What the server said must be kept even if we are being stopped.
	if err := s.Outbox.Update(context.WithoutCancel(ctx), *l); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// settle books what a try came to.
func (s *Sender) settle(l *Letter, err error) {
	if err == nil {
		l.State, l.LastError, l.Body = Sent, "", nil
		return
	}
	l.LastError = oneLine(err.Error())
	if _, ok := errors.AsType[*UnsureError](err); ok {
		l.Unsure++
	}
	_, refused := errors.AsType[*RefusedError](err)
	if refused || l.Unsure >= maxUnsure || l.Next.Sub(l.Queued) > maxAge {
		l.State = Failed
	}
}

func (s *Sender) tell(l *Letter) {
	switch l.State {
	case Sent:
		s.Log.Info("mail sent", "to", l.To, "period", l.Period, "tries", l.Tries)
	case Failed:
		s.Log.Error("mail failed", "to", l.To, "period", l.Period, "tries", l.Tries, "err", l.LastError)
	case Queued:
		s.Log.Warn("mail waits", "to", l.To, "period", l.Period, "tries", l.Tries, "next", l.Next, "err", l.LastError)
	}
}

// backOff is how long to wait after the n-th try: 5 minutes, doubled up to 4 hours.
func backOff(n int) time.Duration {
	return min(5*time.Minute<<min(n-1, 10), 4*time.Hour)
}

// Retry puts failed letters back in the queue, due now. It returns how many.
func Retry(ctx context.Context, o Outbox, now time.Time) (int, error) {
	letters, err := o.Letters(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, l := range letters {
		if l.State != Failed {
			continue
		}
		l.State, l.Tries, l.Unsure, l.Queued, l.Next = Queued, 0, 0, now, now
		if err := o.Update(ctx, l); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
