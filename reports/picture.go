package reports

import (
	"fmt"
	"math"

	"github.com/go-analyze/charts"
)

// A picture is shown 560 points wide and drawn at twice that.
const pictureWidth, pictureHeight = 1120, 400

// picture draws a pair's trend as PNG: the score, and the ends of its 80 %
// interval as thin lines. Only dates and numbers are in it, in ASCII: the
// drawing library's font has no other letters.
func picture(p *Pair, f *Findings) ([]byte, error) {
	days := f.Period.Trend
	score, lo, hi := make([]float64, len(days)), make([]float64, len(days)), make([]float64, len(days))
	labels := make([]string, len(days))
	for i, d := range days {
		labels[i] = fmt.Sprintf("%d/%d", d.Month(), d.Day())
		score[i], lo[i], hi[i] = charts.GetNullValue(), charts.GetNullValue(), charts.GetNullValue()
		t := &p.Trend[i]
		if t.State != PointNone {
			lo[i], hi[i] = math.Round(float64(t.Lo)), math.Round(float64(t.Hi))
		}
		if t.State == PointKnown {
			score[i] = math.Round(float64(t.Score))
		}
	}
	red, faint, ink := charts.ColorRGB(168, 48, 31), charts.ColorRGB(222, 180, 172), charts.ColorRGB(90, 98, 107)
	white, line := charts.ColorWhite, charts.ColorRGB(220, 216, 206)
	theme := charts.GetTheme(charts.ThemeLight).WithBackgroundColor(white).WithTextColor(ink).WithAxisSplitLineColor(line).
		WithXAxisColor(line).WithYAxisColor(line).WithSeriesColors([]charts.Color{faint, faint, red})
	opt := charts.NewLineChartOptionWithData([][]float64{lo, hi, score})
	opt.Theme = theme
	opt.Padding = charts.NewBox(16, 24, 32, 16)
	opt.Symbol.Shape = charts.SymbolNone
	opt.LineStrokeWidth = 3
	opt.Legend.Show = charts.Ptr(false)
	opt.XAxis.Labels = labels
	opt.XAxis.LabelCount = min(len(labels), 8)
	opt.XAxis.LabelFontStyle.FontSize = 18
	opt.YAxis = []charts.YAxisOption{{Min: charts.Ptr(0.0), Max: charts.Ptr(100.0), LabelCount: 6, LabelFontStyle: charts.FontStyle{FontSize: 18}}}
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputPNG, Width: pictureWidth, Height: pictureHeight, Theme: theme})
	if err := painter.LineChart(opt); err != nil {
		return nil, err
	}
	return painter.Bytes()
}
