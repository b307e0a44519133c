# make demo   build, analyse sample-logs, write report.html, print the gist
# make pictures  of that report, for docs/pictures
# make test   install what the tests need (where it may), run every test
# make check  format, vet, staticcheck, imports
# make bench  speed, as ratios
# make bench-ingest  logs to database beside pflogsumm and SQL; LINES says how many
# make bench-exim    the same beside eximstats
# make torture  kills and rotations, for minutes
# make eval   the model on worlds with a hidden truth; fails where it got worse

.PHONY: build demo pictures test check needs bench bench-ingest bench-exim torture eval clean
.DEFAULT_GOAL := build

SAMPLES := sample-logs/postfix-a sample-logs/postfix-b sample-logs/exim-a sample-logs/exim-b
# Real parts that some tests run beside ours: a browser, a compressor that Go
# has no writer for.
PACKAGES := chromium bzip2 dovecot-imapd dovecot-lmtpd postfix pflogsumm rsyslog strace
PURE := ./delivery/... ./parser/... ./rules/... ./inference/...

build:
	go build -trimpath -o bin/repute ./cmd/repute

demo: build
	./bin/repute analyze --config sample-logs/repute.toml --out report.html $(SAMPLES)

# What docs/pictures shows: look at them after a change of the page. Without a
# Japanese font the Japanese page is boxes.
pictures: build
	@fc-list :lang=ja | grep -q . || { echo "no Japanese font: apt-get install fonts-noto-cjk"; exit 1; }
	d=$$(mktemp -d); for l in en ja; do ./bin/repute analyze --config sample-logs/repute.toml --lang $$l --out $$d/report-$$l.html $(SAMPLES) >/dev/null; done; \
	REPUTE_PAGES=$$d REPUTE_PICTURES=$(CURDIR)/docs/pictures go test -tags pictures -run 'TestPictures|TestFront' ./reports/page

# Only root can install; without it the tests that lack a part skip and are named.
needs:
	@missing=$$(dpkg-query -W -f '$${db:Status-Status} $${Package}\n' $(PACKAGES) 2>&1 | \
	  sed -n 's/^dpkg-query: no packages found matching //p; /^installed /!s/^[a-z-]* \([a-z0-9-]*\)$$/\1/p'); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ]; then echo "not root: not installed for the tests:" $$missing; exit 0; fi; \
	echo "installing for the tests:" $$missing; \
	export DEBIAN_FRONTEND=noninteractive; \
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null 2>&1 || \
	  echo "could not install:" $$missing

# The purest packages are tested without cgo first. Skipped tests are named at
# the end; REPUTE_REQUIRE=all (CI) makes a skip a failure.
test: needs
	CGO_ENABLED=0 go test $(PURE)
	@log=$$(mktemp); trap 'rm -f $$log' EXIT; \
	go test -v ./... >$$log 2>&1; status=$$?; \
	grep -E '^(ok|FAIL|---? FAIL|panic|    .*_test\.go|[^ ]+\.go:)|^ +--- FAIL|build failed' $$log || true; \
	if [ $$status != 0 ]; then tail -n 60 $$log; fi; \
	skipped=$$(grep -cE '^ *--- SKIP' $$log); \
	if [ $$skipped != 0 ]; then echo "skipped: $$skipped"; grep -E -A1 '^ *--- SKIP' $$log; \
	  if [ "$$REPUTE_REQUIRE" = all ]; then echo "no skips are allowed here"; exit 1; fi; fi; \
	exit $$status

check:
	@out=$$(go tool gofumpt -l .); if [ -n "$$out" ]; then echo "not formatted (go tool gofumpt -w):"; echo "$$out"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go test ./internal/arrows

# Figures are ratios within one run: machines are noisy.
bench:
	go test ./parser/all ./internal/ingest ./inference -run xxx -bench . -benchtime 1s

# Beside pflogsumm, zcat and zstd, which must be installed.
LINES ?= 1000000
bench-ingest: build
	go run ./internal/bench/ingest -lines $(LINES)

# Beside eximstats: of Debian's exim4-base, or the file EXIMSTATS.
EXIMSTATS ?= eximstats
bench-exim: build
	go run ./internal/bench/ingest -lines $(LINES) -eximstats "$(EXIMSTATS)"

# Kill -9 at random moments and at each write (strace must be installed);
# REPUTE_KILLS says how often, REPUTE_LISTS how many lists of actions the model
# test does (10,000).
torture:
	go test -tags torture -run Torture -timeout 180m -v ./...

# Seeds below 200 are for tuning; these are not. About four minutes.
eval:
	go run ./inference/eval/evaluate -seeds 501,502 -figures inference/eval/figures.json

clean:
	rm -rf bin report.html
