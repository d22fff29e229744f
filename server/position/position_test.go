package position

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsWrittenIsRead(t *testing.T) {
	for _, p := range []Position{{"a", 0}, {"5f0c-9x", 1}, {"e", 1<<64 - 1}} {
		got, err := Parse(p.String())
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
	require.Empty(t, Position{}.String())
	require.True(t, Position{}.IsZero())
}

func TestBadPositionsAreNamed(t *testing.T) {
	for _, s := range []string{"", ":", "a", "a:", ":1", "a:-1", "a:x", "a:1:2", "a:18446744073709551616", strings.Repeat("e", 65) + ":1"} {
		_, err := Parse(s)
		require.ErrorContains(t, err, `position "`+s[:min(len(s), 80)]+`"`)
	}
}
