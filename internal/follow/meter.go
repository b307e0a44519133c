package follow

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"repute/delivery"
	"repute/inference"
	"repute/internal/analysis"
	"repute/internal/ingest"
)

// Meter holds the daemon's metrics, for Prometheus.
type Meter struct {
	registry *prometheus.Registry
	alive    atomic.Int64 // Unix seconds of the last sign of life

	lines, faults                 *prometheus.CounterVec
	outcomes, reasons             *prometheus.CounterVec
	lag                           *prometheus.GaugeVec
	batch, inferring              prometheus.Histogram
	bytes, up                     prometheus.Gauge
	score, lo, hi, full, evidence *prometheus.GaugeVec
}

// maxPairs bounds how many pairs have metrics of their own: those with most
// evidence. Whoever sends to 10,000 small receivers asks `repute scores`.
const maxPairs = 2000

// NewMeter returns a meter with its own registry.
func NewMeter() *Meter {
	m := &Meter{registry: prometheus.NewRegistry()}
	pair := []string{"ip", "receiver"}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(v)
		return v
	}
	histogram := func(name, help string) prometheus.Histogram {
		v := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(0.001, 4, 9)})
		m.registry.MustRegister(v)
		return v
	}
	m.lines = counter("repute_lines_total", "Log lines read, by what they were.", "log", "kind")
	m.faults = counter("repute_faults_total", "Times that following stopped and was begun again.", "kind")
	m.outcomes = counter("repute_first_outcomes_total", "First outcomes of deliveries, by class.", "class")
	m.reasons = counter("repute_reasons_total", "First outcomes that were no acceptance, by reason.", "reason")
	m.lag = gauge("repute_lag_seconds", "Age of the newest line when it was committed.", "log")
	m.batch = histogram("repute_batch_seconds", "Time to read and commit a batch.")
	m.inferring = histogram("repute_inference_seconds", "Time to infer all scores.")
	m.bytes = gauge("repute_store_bytes", "Size of the database's files.").WithLabelValues()
	m.up = gauge("repute_up", "1 while the follower runs.").WithLabelValues()
	m.score = gauge("repute_score", "Reputation of a sending IP at a receiver, 0 to 100, SMTP view; absent where unknown.", pair...)
	m.lo = gauge("repute_score_lo", "Lower end of the score's 80 % interval.", pair...)
	m.hi = gauge("repute_score_hi", "Upper end of the score's 80 % interval.", pair...)
	m.full = gauge("repute_score_full", "Reputation with the spam folder; absent where there is no signal.", pair...)
	m.evidence = gauge("repute_evidence", "First outcomes of the pair's own in the last 30 days.", pair...)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Meter) committed(c *ingest.Committed) {
	m.alive.Store(time.Now().Unix())
	for kind, n := range map[string]int64{
		"event": c.Events, "irrelevant": c.Irrelevant, "not_understood": c.NotUnderstood, "oversize": c.Oversize,
	} {
		m.lines.WithLabelValues(c.Path, kind).Add(float64(max(0, n)))
	}
	m.lag.WithLabelValues(c.Path).Set(c.Lag.Seconds())
	m.batch.Observe(c.Took.Seconds())
}

func (m *Meter) event(b *ingest.Booked) error {
	if b.First {
		m.outcomes.WithLabelValues(b.Class.String()).Inc()
		if b.Verdict.Reason != delivery.ReasonNone {
			m.reasons.WithLabelValues(b.Verdict.Reason.String()).Inc()
		}
	}
	return nil
}

func (m *Meter) failed() { m.faults.WithLabelValues("follow").Inc() }

func (m *Meter) size(bytes int64) { m.bytes.Set(float64(bytes)) }

// Alive notes a sign of life.
func (m *Meter) Alive() {
	m.alive.Store(time.Now().Unix())
	m.up.Set(1)
}

// scored sets the scores of the last day, the pairs with most evidence first.
func (m *Meter) scored(r *analysis.Result, took time.Duration) {
	m.inferring.Observe(took.Seconds())
	if len(r.Estimates) == 0 {
		return
	}
	last := r.Estimates[len(r.Estimates)-1].Day
	var now []inference.Estimate
	for i := len(r.Estimates) - 1; i >= 0 && r.Estimates[i].Day.Equal(last); i-- {
		now = append(now, r.Estimates[i])
	}
	slices.SortStableFunc(now, func(a, b inference.Estimate) int { return cmp.Compare(b.Evidence, a.Evidence) })
	for _, v := range []*prometheus.GaugeVec{m.score, m.lo, m.hi, m.full, m.evidence} {
		v.Reset()
	}
	for i := range now[:min(len(now), maxPairs)] {
		e := &now[i]
		m.evidence.WithLabelValues(e.IP, e.Receiver).Set(float64(e.Evidence))
		m.lo.WithLabelValues(e.IP, e.Receiver).Set(e.Lo)
		m.hi.WithLabelValues(e.IP, e.Receiver).Set(e.Hi)
		if !e.Unknown {
			m.score.WithLabelValues(e.IP, e.Receiver).Set(e.Score)
		}
		if e.View == inference.ViewFull {
			m.full.WithLabelValues(e.IP, e.Receiver).Set(e.Full)
		}
	}
}

// stale is how long without a sign of life the daemon counts as ill.
const stale = time.Minute

// Serve answers /metrics and /healthz until the context ends.
func (m *Meter) Serve(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if age := time.Since(time.Unix(m.alive.Load(), 0)); age > stale {
			http.Error(w, "no progress for "+age.Round(time.Second).String(), http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n"))
	})
	s := &http.Server{
		Handler: localOnly(mux), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// localOnly refuses what a web page in somebody's browser could ask by
// pointing a name of its own at this machine.
func localOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "ask for 127.0.0.1 or localhost", http.StatusBadRequest)
			return
		}
		h.ServeHTTP(w, r)
	})
}
