package svg

// advances are the widths of the characters from space to tilde in DejaVu Sans, in thousandths of the size of the
// font. Of the fonts that a page may be shown in it is the widest, so what fits by this table fits.
var advances = [...]uint16{
	318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636, 636, 636, 636, 636,
	636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
	603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635,
	634, 278, 278, 579, 278, 974, 634, 612, 635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
}

// Width is how wide a text is, in the unit of its size.
func Width(text string, size float64) float64 {
	sum := 0
	for _, r := range text {
		switch {
		case r >= ' ' && int(r-' ') < len(advances):
			sum += int(advances[r-' '])
		case r < 0x250: // letters with accents
			sum += 800
		default:
			sum += 1000
		}
	}
	return float64(sum) * size / 1000
}

// Fit shortens a text to a width, and shows that by an ellipsis.
func Fit(text string, size, width float64) string {
	if Width(text, size) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 0 {
		runes = runes[:len(runes)-1]
		if short := string(runes) + "…"; Width(short, size) <= width {
			return short
		}
	}
	return ""
}
