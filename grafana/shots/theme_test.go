package shots

import (
	"math"
	"testing"

	"fmt"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contrast is WCAG's, of two colours given as #rrggbb.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	luminance := func(color string) float64 {
		var rgb [3]int
		_, err := fmt.Sscanf(color, "#%02x%02x%02x", &rgb[0], &rgb[1], &rgb[2])
		require.NoError(t, err, color)
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			c := float64(rgb[i]) / 255
			if c <= 0.03928 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum + 0.05
	}
	x, y := luminance(a), luminance(b)
	return max(x, y) / min(x, y)
}

func TestColorsStandOut(t *testing.T) {
	for _, text := range []string{colorAxis, colorText, colorStrong, colorMark} {
		assert.GreaterOrEqual(t, contrast(t, text, colorPanel), 4.5, "text %s", text)
		assert.GreaterOrEqual(t, contrast(t, text, colorCanvas), 4.5, "text %s", text)
	}
	seen := map[string]bool{}
	for _, line := range palette {
		assert.GreaterOrEqual(t, contrast(t, line, colorPanel), 4.5, "line %s", line)
		assert.False(t, seen[line], "%s is there twice", line)
		seen[line] = true
	}
	for step := 1; step < rampSteps; step++ {
		assert.Greater(t, contrast(t, rampColor(step), "#000000"), contrast(t, rampColor(step-1), "#000000"), "each step is lighter")
	}
}

func TestColorOf(t *testing.T) {
	for name, want := range map[string]string{
		"green": "#73bf69", "super-light-blue": "#c0d8ff", "semi-dark-orange": "#ff780a", "dark-red": "#c4162a",
		"#abc": "#abc", "rgba(1, 2, 3, 0.5)": "rgba(1, 2, 3, 0.5)", "transparent": "none",
	} {
		got, err := colorOf(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, name := range []string{"", "pinkish", "light-pink", "#xyz", "red; fill: url(evil)"} {
		_, err := colorOf(name)
		assert.ErrorContains(t, err, name)
	}
}
