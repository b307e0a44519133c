package config

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func none(string) string { return "" }

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "repute.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExampleLoads(t *testing.T) {
	cfg, err := Load("../../docs/repute.example.toml", none)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Senders[0].IP; got != netip.MustParseAddr("192.0.2.12") {
		t.Errorf("first sender's ip = %v", got)
	}
	if got := cfg.Recipients[0]; got.Lang != "en" || got.Address.Name != "Postmaster" {
		t.Errorf("first recipient = %+v", got)
	}
	if got := cfg.Store.Retention.Evidence.Duration; got != 400*24*time.Hour {
		t.Errorf("evidence is kept %v", got)
	}
	if got := cfg.Report.Zone.String(); got != "Asia/Tokyo" {
		t.Errorf("report zone = %v", got)
	}
}

// The example promises to show every key.
func TestExampleShowsEveryKey(t *testing.T) {
	text, err := os.ReadFile("../../docs/repute.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(t, Config{}) {
		if !strings.Contains(string(text), key+" = ") && !strings.Contains(string(text), key+"]") {
			t.Errorf("docs/repute.example.toml does not show %q", key)
		}
	}
}

func TestEmptyFileIsDefaults(t *testing.T) {
	cfg, err := Load(write(t, ""), none)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.DB != "repute.duckdb" || cfg.Report.Schedule.String() != "Monday 07:00" || cfg.SMTP.Configured() {
		t.Errorf("defaults = %+v", cfg)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string // "line: part of the message", in order
	}{
		{"unknown key", "[smtp]\nhots = 'a'\n", []string{"2: smtp.hots: there is no such key"}},
		{"unknown table", "\n[smpt]\nhost = 'a'\n", []string{"2: smpt: there is no such key"}},
		{"two at once", "[store]\nfoo = 1\nbar = 2\n", []string{"2: store.foo", "3: store.bar"}},
		{"syntax", "[smtp]\nhost = \n", []string{"2: "}},
		{"wrong type", "[smtp]\nport = 'x'\n", []string{"2: smtp.port"}},
		{"bad address", "[[sender]]\nhost='a'\nip='192.0.2.300'\n", []string{"3: sender.ip"}},
		{"number for a duration", "[store]\ndb = 'x'\n[store.retention]\nevents = 35\n", []string{"4: \"35\" is not a length of time"}},
		{"bad duration", "[store.retention]\nevents = '35 days'\n", []string{"2: store.retention.events: \"35 days\" is not a length of time"}},
		{"bad zone", "[time]\nzone = 'Tokio'\n", []string{"2: time.zone: \"Tokio\" is not a time zone"}},
		{"bad schedule", "[report]\nschedule = 'daily'\n", []string{"2: report.schedule: \"daily\" is not a weekly time"}},
		{"bad memory", "[store]\nmemory_limit = '2 gigs'\n", []string{"2: store.memory_limit: \"2 gigs\" is not an amount"}},
		{"sender matches all", "[[sender]]\nip='192.0.2.1'\n", []string{"1: sender[1]: an entry needs at least one of host"}},
		{"sender without ip", "[[sender]]\ntag='a'\nip='192.0.2.1'\n\n[[sender]]\ntag='b'\n", []string{"5: sender[2]: an entry needs ip"}},
		{"ip and pool", "[[sender]]\ntag='a'\nip='192.0.2.1'\npool='p'\n", []string{"4: sender[1].pool: an entry has either"}},
		{"loopback", "[[sender]]\ntag='a'\nip='127.0.0.1'\n", []string{"3: sender[1].ip: 127.0.0.1 can't be"}},
		{"an address as pool", "[[sender]]\ntag='a'\npool='192.0.2.1'\n", []string{"3: sender[1].pool"}},
		{"host bits", "[[network]]\nname='a'\ncidr='192.0.2.1/24'\n", []string{"3: network[1].cidr: 192.0.2.1/24 has bits set behind its length; write 192.0.2.0/24"}},
		{"network without range", "[[network]]\nname='a'\n", []string{"1: network[1].cidr: a network needs a range"}},
		{"attach", "[report]\nattach='pdf'\n", []string{"2: report.attach: \"pdf\" is not allowed; write one of: page, zip, none"}},
		{"header in the list's address", "[report]\nlist_unsubscribe = \"mailto:a@example.com\\r\\nBcc: b@example.com\"\n", []string{"2: report.list_unsubscribe"}},
		{"header in the sender", "[smtp]\nsendmail='x'\nfrom = \"a@example.com\\r\\nBcc: b@example.com\"\n", []string{"3: smtp.from"}},
		{"header in a name", "[[recipient]]\naddress = \"\\\"a\\r\\nBcc: b\\\" <a@example.com>\"\n", []string{"2: recipient.address"}},
		{"unknown network", "[[recipient]]\naddress='a@example.com'\nnetworks=['x']\n", []string{"3: recipient[1].networks: \"x\" is not the name"}},
		{"password in clear", "[smtp]\nhost='h'\nfrom='a@example.com'\ntls='none'\nuser='u'\npassword_file='f'\n", []string{"4: smtp.tls: a password is never sent without TLS"}},
		{"no password key", "[smtp]\npassword='x'\n", []string{"2: smtp.password: there is no such key"}},
		{"user without password", "[smtp]\nhost='h'\nfrom='a@example.com'\nuser='u'\n", []string{"4: smtp.user: a user needs"}},
		{"no sender", "[smtp]\nhost='h'\n", []string{"1: smtp.from: the address"}},
		{"two ways out", "[smtp]\nhost='h'\nsendmail='s'\nfrom='a@example.com'\n", []string{"3: smtp.sendmail"}},
		{"alert kinds", "[[alert]]\non=['fire']\ncommand=['x']\n", []string{"2: alert[1].on: \"fire\" is not allowed; write one of: fall"}},
		{"alert to nobody", "[[alert]]\nname='x'\n", []string{"1: alert[1]: an alert needs"}},
		{"alert mail without smtp", "[[alert]]\nmail=['a@example.com']\n", []string{"2: alert[1].mail: mail needs [smtp]"}},
		{"webhook in clear", "[[alert]]\nwebhook='http://hooks.example.com/'\n", []string{"2: alert[1].webhook"}},
		{"in the file's order", "[time]\nyear = 7\n[store]\nthreads = -1\n", []string{"2: time.year", "4: store.threads"}},
		{"retention turned round", "[store.retention]\nevents='90d'\nevidence='35d'\n", []string{"3: store.retention.evidence"}},
		{"control byte in a key", "[smtp]\n\"a\\u001b[2J\" = 1\n", []string{"2: "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := write(t, c.text)
			_, err := Load(path, none)
			if err == nil {
				t.Fatal("loaded")
			}
			got := strings.Split(err.Error(), "\n")
			if len(got) != len(c.want) {
				t.Fatalf("%d faults, want %d:\n%v", len(got), len(c.want), err)
			}
			for i, want := range c.want {
				if !strings.Contains(got[i], path+":"+want) {
					t.Errorf("fault %d = %q, want %q", i+1, got[i], want)
				}
			}
		})
	}
}

func TestEnvironmentOverFile(t *testing.T) {
	path := write(t, "[store]\ndb='file.duckdb'\nthreads=2\n[time]\nzone='UTC'\n")
	vars := map[string]string{"REPUTE_CONFIG": path, "REPUTE_DB": "env.duckdb", "REPUTE_ZONE": "Asia/Tokyo", "REPUTE_YEAR": "2026"}
	cfg, err := Load("", func(k string) string { return vars[k] })
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Store.DB != "env.duckdb" || cfg.Store.Threads != 2 || cfg.Time.Year != 2026 || cfg.Report.Zone.String() != "Asia/Tokyo" {
		t.Errorf("config = %+v", cfg)
	}
	for name, want := range map[string]string{
		"REPUTE_YEAR":     `environment: REPUTE_YEAR: "soon" is not a number`,
		"REPUTE_ZONE":     `environment: REPUTE_ZONE: "soon" is not a time zone`,
		"REPUTE_SMTP_TLS": `environment: REPUTE_SMTP_TLS: "soon" is not allowed`,
	} {
		_, err := Load(path, func(k string) string { return map[string]string{name: "soon"}[k] })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", name, err, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Load("", none); err != nil {
		t.Errorf("no file is fine where none is named: %v", err)
	}
	if _, err := Load("gone.toml", none); err == nil {
		t.Error("a named file that does not exist must be an error")
	}
}

func TestFileThatAllMayWrite(t *testing.T) {
	path := write(t, "")
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, none); err == nil || !strings.Contains(err.Error(), "chmod") {
		t.Errorf("error = %v", err)
	}
}

func TestSecret(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "pw")
	if err := os.WriteFile(path, []byte("hunter2\r\nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := SMTP{PasswordFile: path}
	cred := SMTP{Credential: "pw"}
	for name, s := range map[string]SMTP{"file": file, "credential": cred} {
		got, err := s.Password(func(string) string { return dir })
		if err != nil || got.Reveal() != "hunter2" {
			t.Errorf("%s: password %q, %v", name, got.Reveal(), err)
		}
		asJSON, _ := json.Marshal(got)
		shown := fmt.Sprintf("%v %+v %#v %s %q %x %d %s", got, got, got, got, got, got, []Secret{got}, asJSON)
		if strings.Contains(shown, "hunter") || strings.Contains(shown, fmt.Sprintf("%x", "hunter")) {
			t.Errorf("%s: shown: %s", name, shown)
		}
	}
	if _, err := cred.Password(none); err == nil {
		t.Error("a credential without systemd must be an error")
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Password(none); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("readable by all: error = %v", err)
	}
}

func TestScheduleLast(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	monday7 := Schedule{Day: time.Monday, Hour: 7}
	for _, c := range []struct {
		name      string
		s         Schedule
		now, want time.Time
	}{
		{"on the minute", monday7, time.Date(2026, 11, 23, 7, 0, 0, 0, tokyo), time.Date(2026, 11, 23, 7, 0, 0, 0, tokyo)},
		{"a second before", monday7, time.Date(2026, 11, 23, 6, 59, 59, 0, tokyo), time.Date(2026, 11, 16, 7, 0, 0, 0, tokyo)},
		{"on Sunday", monday7, time.Date(2026, 11, 29, 23, 0, 0, 0, tokyo), time.Date(2026, 11, 23, 7, 0, 0, 0, tokyo)},
		{"over New Year", monday7, time.Date(2027, 1, 2, 0, 0, 0, 0, tokyo), time.Date(2026, 12, 28, 7, 0, 0, 0, tokyo)},
		{"over a change of the clock", monday7, time.Date(2026, 10, 25, 12, 0, 0, 0, paris), time.Date(2026, 10, 19, 7, 0, 0, 0, paris)},
		{"in the skipped hour", Schedule{Day: time.Sunday, Hour: 2, Minute: 30}, time.Date(2026, 3, 29, 4, 0, 0, 0, paris), time.Date(2026, 3, 29, 3, 30, 0, 0, paris)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.s.Last(c.now); !got.Equal(c.want) {
				t.Errorf("Last(%v) = %v, want %v", c.now, got, c.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	var night, day, never Span
	if night.UnmarshalText([]byte("22:00-06:30")) != nil || day.UnmarshalText([]byte("09:00-17:00")) != nil {
		t.Fatal("spans not read")
	}
	at := func(h, m int) time.Time { return time.Date(2026, 11, 24, h, m, 0, 0, time.UTC) }
	for _, c := range []struct {
		s    Span
		t    time.Time
		want bool
	}{
		{night, at(22, 0), true},
		{night, at(3, 0), true},
		{night, at(6, 30), false},
		{night, at(12, 0), false},
		{day, at(9, 0), true},
		{day, at(17, 0), false},
		{day, at(3, 0), false},
		{never, at(0, 0), false},
	} {
		if got := c.s.Contains(c.t); got != c.want {
			t.Errorf("%+v contains %s: %v", c.s, c.t.Format("15:04"), got)
		}
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("../../docs/repute.example.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte("sender = [{ip='x'}]\n[a.b]\nc=1\n[[smtp]]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, err := parse("f", text)
		if err == nil && (cfg.SMTP.Timeout.Duration <= 0 || cfg.Store.DB == "") {
			t.Error("a file that loads must be usable")
		}
	})
}
