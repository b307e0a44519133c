package eval

import (
	"runtime"
	"slices"
	"testing"

	"repute/delivery"
	"repute/inference"
)

// BenchmarkPeriod is the cost of 120 days of hourly cells of some 10,000 pairs,
// with a score of each pair on each day, and what a pair takes in memory.
func BenchmarkPeriod(b *testing.B) {
	var cells []delivery.Evidence
	for e, err := range NewWorld(Levels()[1], 11).Mail(func(delivery.Signal) {}) {
		if err != nil {
			b.Fatal(err)
		}
		cells = append(cells, e)
	}
	cells = slices.Clip(cells)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var m *inference.Model
	pairs, days := map[[2]string]bool{}, 0
	for b.Loop() {
		m = inference.New(inference.Defaults())
		clear(pairs)
		days = 0
		for e := range m.Estimate(func(yield func(delivery.Evidence, error) bool) {
			for i := range cells {
				if !yield(cells[i], nil) {
					return
				}
			}
		}) {
			pairs[[2]string{e.IP, e.Receiver}] = true
			days++
		}
	}
	n := len(pairs)
	pairs = nil
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(len(cells)), "cells")
	b.ReportMetric(float64(n), "pairs")
	b.ReportMetric(float64(days), "scores")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(cells)), "ns/cell")
	b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/float64(n), "B/pair")
	runtime.KeepAlive(m)
}
