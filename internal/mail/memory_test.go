package mail

import (
	"context"
	"fmt"
	"sync"
)

// memory is an outbox that lives as long as a test. It keeps copies: what a
// sender changes afterwards must not show.
type memory struct {
	mu      sync.Mutex
	letters []Letter
	updates int
	before  func() error // called before each change
}

func (m *memory) Add(_ context.Context, l Letter) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.letters {
		if m.letters[i].ID == l.ID {
			return false, nil
		}
	}
	m.letters = append(m.letters, l)
	return true, nil
}

func (m *memory) Letters(context.Context) ([]Letter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Letter(nil), m.letters...), nil
}

func (m *memory) Update(_ context.Context, l Letter) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.before != nil {
		if err := m.before(); err != nil {
			return err
		}
	}
	for i := range m.letters {
		if m.letters[i].ID == l.ID {
			m.letters[i] = l
			m.updates++
			return nil
		}
	}
	return fmt.Errorf("no letter %q", l.ID)
}
