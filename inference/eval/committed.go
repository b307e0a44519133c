package eval

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// figure is one number that is watched: where it may not get worse by more
// than the noise between worlds.
type figure struct {
	name  string
	of    func(f *Figures) float64
	more  bool    // more is better
	noise float64 // share of the committed value, or points where abs
	abs   bool
}

var watched = []figure{
	{"RMSE, all", func(f *Figures) float64 { return f.Model[0].RMSE }, false, .04, false},
	{"RMSE, >=100/d", func(f *Figures) float64 { return f.Model[1].RMSE }, false, .08, false},
	{"Spearman", func(f *Figures) float64 { return f.Model[0].Spearman }, true, .02, true},
	{"right band", func(f *Figures) float64 { return f.Model[0].Band }, true, .01, true},
	{"falls found, 10-100/d", func(f *Figures) float64 { return f.Falls[2].Found }, true, .04, true},
	{"false alarms per pair-year", func(f *Figures) float64 { return f.Falls[0].FalsePerYear }, false, .05, true},
	{"right cause of all", func(f *Figures) float64 { return f.Falls[0].OfAll }, true, .04, true},
	{"RMSE, full score", func(f *Figures) float64 { return f.Full.RMSE }, false, .05, false},
	{"80 % cover, distance from .83", func(f *Figures) float64 { return abs(f.Model[0].Cover80 - .83) }, false, .03, true},
}

func abs(x float64) float64 { return max(x, -x) }

// Save writes figures to a file.
func Save(name string, all []Figures) error {
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644)
}

// Compare tells where figures are worse than those in a file, beyond noise,
// and where the model is no better than a baseline.
func Compare(name string, all []Figures) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var old []Figures
	if err := json.Unmarshal(b, &old); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for i := range all {
		f := &all[i]
		if m := f.Model[0].RMSE; m >= f.Beta.RMSE || m >= f.Raw.RMSE {
			errs = append(errs, fmt.Errorf("level %s: RMSE %.2f is no better than a baseline (%.2f, %.2f)", f.Level, m, f.Beta.RMSE, f.Raw.RMSE))
		}
		for k := range old {
			if old[k].Level == f.Level {
				errs = append(errs, worse(f, &old[k])...)
			}
		}
	}
	return errors.Join(errs...)
}

func worse(f, old *Figures) (errs []error) {
	for _, w := range watched {
		now, before := w.of(f), w.of(old)
		margin := w.noise
		if !w.abs {
			margin *= before
		}
		if w.more && now < before-margin || !w.more && now > before+margin {
			errs = append(errs, fmt.Errorf("level %s: %s is %.3f, was %.3f", f.Level, w.name, now, before))
		}
	}
	return errs
}
