package shots

import (
	"fmt"
	"regexp"
)

// The colours of the page: Grafana's dark theme.
const (
	colorCanvas = "#111217"
	colorPanel  = "#181b1f"
	colorBorder = "#2a2d33"
	colorGrid   = "#2b2e35"
	colorAxis   = "#9fa7b3" // the text of axes
	colorText   = "#ccccdc"
	colorStrong = "#f4f5f8"
	colorMark   = "#8ab8ff" // annotations
)

// palette are the colours of series that have none of their own: those of Grafana's classic palette that stand out
// from the dark panel.
var palette = []string{
	"#73bf69", "#f2cc0c", "#5794f2", "#ff780a", "#f2495c", "#b877d9", "#70dbed", "#f9ba8f", "#c0d8ff", "#96d98d",
	"#e5a8e2", "#fade2a", "#8ab8ff", "#ff7383", "#82b5d8", "#b7dbab",
}

// shades are Grafana's names of colours: from super-light to dark.
var shades = map[string][5]string{
	"red":    {"#ffa6b0", "#ff7383", "#f2495c", "#e02f44", "#c4162a"},
	"orange": {"#ffcb7d", "#ffb357", "#ff9830", "#ff780a", "#fa6400"},
	"yellow": {"#fff899", "#ffee52", "#fade2a", "#f2cc0c", "#e0b400"},
	"green":  {"#c8f2c2", "#96d98d", "#73bf69", "#56a64b", "#37872d"},
	"blue":   {"#c0d8ff", "#8ab8ff", "#5794f2", "#3274d9", "#1f60c4"},
	"purple": {"#deb6f2", "#ca95e5", "#b877d9", "#a352cc", "#8f3bb8"},
}

var (
	hexColor   = regexp.MustCompile(`^#[0-9a-fA-F]{3,8}$|^rgba?\([0-9., ]+\)$`)
	namedColor = regexp.MustCompile(`^(super-light-|light-|semi-dark-|dark-|)([a-z]+)$`)
)

// colorOf turns a colour of a dashboard into one of CSS.
func colorOf(name string) (string, error) {
	if hexColor.MatchString(name) {
		return name, nil
	}
	switch name {
	case "text", "white":
		return colorText, nil
	case "gray", "grey":
		return colorAxis, nil
	case "black":
		return "#000000", nil
	case "transparent":
		return "none", nil
	}
	if m := namedColor.FindStringSubmatch(name); m != nil {
		if s, ok := shades[m[2]]; ok {
			return s[map[string]int{"super-light-": 0, "light-": 1, "": 2, "semi-dark-": 3, "dark-": 4}[m[1]]], nil
		}
	}
	return "", fmt.Errorf("color %q is neither a name of Grafana's nor #rrggbb", name)
}
