package store

import (
	"testing"
	"time"
)

func TestAlerts(t *testing.T) {
	ctx := t.Context()
	s, err := Open(ctx, t.TempDir()+"/r.duckdb", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.UnixMicro(1_763_388_000_000_000)
	first := Alert{ID: "1", Rule: "r", Way: "mail", Thing: "x'; DROP TABLE alert; --", State: "queued", Doubtful: true, Noticed: at, Created: at, Next: at, Body: "{}"}
	second := first
	second.ID, second.Created = "2", at.Add(time.Second)
	if err := s.PutAlerts(ctx, second, first); err != nil {
		t.Fatal(err)
	}
	second.State, second.Tries, second.Error = "sent", 3, "y"
	if err := s.PutAlerts(ctx, second); err != nil {
		t.Fatal(err)
	}
	got, err := s.Alerts(ctx)
	if err != nil || len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, []Alert{first, second})
	}
}
