package figure

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFigures(t *testing.T) {
	for want, got := range map[string]string{
		"0.25":       Number(0.25),
		"1000000":    Number(1e6),
		"0":          Count(0),
		"999":        Count(999),
		"1,000,026":  Count(1000026),
		"-12,345":    Count(-12345),
		"0 ":         Seconds(0) + " ",
		"85µs":       Seconds(0.000085),
		"1.5ms":      Seconds(0.0015),
		"250ms":      Seconds(0.25),
		"12.3s":      Seconds(12.34),
		"3600s":      Seconds(3600),
		"1s":         Seconds(0.9996),
		"999ms":      Seconds(0.9994),
		"1000s":      Seconds(999.6),
		"512 B":      Bytes(512),
		"1.03 KiB":   Bytes(1055),
		"12.3 MiB":   Bytes(12.3 * 1024 * 1024),
		"-1.00 GiB":  Bytes(-1 << 30),
		"0/s":        Rate(0),
		"0.333/s":    Rate(1.0 / 3),
		"2,000/s":    Rate(1999.7),
		"0:00":       Clock(-1),
		"0:42":       Clock(42.9),
		"100:00:01":  Clock(360001),
		"1:02:03":    Clock(3723),
		"59:59":      Clock(3599),
		"2048.0 TiB": Bytes(2 << 50),
	} {
		require.Equal(t, want, got)
	}
}
