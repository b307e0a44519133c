package main

import (
	"io"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"repute/inference"
	"repute/internal/analysis"
)

// printPrometheus prints scores and what may be sent tomorrow as a textfile
// for Prometheus' node exporter. Names are those of `repute follow --metrics`.
// An unknown score has no sample: it is neither 0 nor 50.
func printPrometheus(w io.Writer, scores []inference.Estimate, plans []analysis.Plan) error {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"ip", "receiver"})
		registry.MustRegister(v)
		return v
	}
	score := gauge("repute_score", "Reputation of a sending IP at a receiver, 0 to 100, SMTP view; absent where unknown.")
	lo := gauge("repute_score_lo", "Lower end of the score's 80 % interval.")
	hi := gauge("repute_score_hi", "Upper end of the score's 80 % interval.")
	full := gauge("repute_score_full", "Reputation with the spam folder; absent where there is no signal.")
	known := gauge("repute_score_known", "1 where the score is known, 0 where there is too little evidence.")
	evidence := gauge("repute_evidence", "First outcomes of the pair's own in the last 30 days.")
	day := gauge("repute_score_day_seconds", "Start of the day that the score is of, Unix time: an old one means that no log was read.")
	tomorrow := gauge("repute_plan_messages", "How many messages may be sent the day after: repute plan.")
	hourly := gauge("repute_plan_hourly_messages", "How many of them in one hour at most.")
	for i := range scores {
		e := &scores[i]
		is := 0.0
		if !e.Unknown {
			is = 1
			score.WithLabelValues(e.IP, e.Receiver).Set(round1(e.Score))
		}
		known.WithLabelValues(e.IP, e.Receiver).Set(is)
		lo.WithLabelValues(e.IP, e.Receiver).Set(round1(e.Lo))
		hi.WithLabelValues(e.IP, e.Receiver).Set(round1(e.Hi))
		if e.View == inference.ViewFull {
			full.WithLabelValues(e.IP, e.Receiver).Set(round1(e.Full))
		}
		evidence.WithLabelValues(e.IP, e.Receiver).Set(float64(e.Evidence))
		day.WithLabelValues(e.IP, e.Receiver).Set(float64(e.Day.Unix()))
	}
	for i := range plans {
		tomorrow.WithLabelValues(plans[i].IP, plans[i].Receiver).Set(float64(plans[i].Tomorrow))
		hourly.WithLabelValues(plans[i].IP, plans[i].Receiver).Set(float64(plans[i].Hourly))
	}
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return err
		}
	}
	return nil
}
