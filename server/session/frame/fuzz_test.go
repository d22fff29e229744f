package frame

import (
	"bytes"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// FuzzParse: a header is read back as it was written, its size does not depend on
// what follows, and no prefix of it is taken for a whole one.
func FuzzParse(f *testing.F) {
	for _, seed := range [][]byte{
		nil, {0x81}, {0x81, 0x05}, {0x81, 0x85, 1, 2, 3, 4}, {0x82, 126, 0, 126}, {0x82, 126, 0, 125},
		{0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 1, 2, 3, 4}, {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, {0xff, 0xff},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		h, size, err := Parse(p)
		if err != nil {
			require.ErrorIs(t, err, ErrLength)
			return
		}
		if size == 0 {
			require.Less(t, len(p), MaxHeaderSize)
			return
		}
		require.LessOrEqual(t, size, MaxHeaderSize)
		require.Equal(t, p[:size], AppendHeader(nil, h))
		for cut := range size {
			_, n, err := Parse(p[:cut])
			require.NoError(t, err)
			require.Zero(t, n)
		}
		again, n, err := Parse(append(bytes.Clone(p[:size]), 0xff))
		require.NoError(t, err)
		require.Equal(t, size, n)
		require.Equal(t, h, again)
	})
}

// FuzzClose: what ParseClose lets pass is what ClosePayload would have built.
func FuzzClose(f *testing.F) {
	for _, seed := range []string{"", "\x03", "\x03\xe8", "\x03\xe8bye", "\x03\xed", "\x0f\xa0\xff", "\x13\x88"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, ok := ParseClose(p)
		if !ok {
			require.Contains(t, []CloseCode{CloseProtocolError, CloseInvalidPayload}, code)
			return
		}
		built := ClosePayload(code, reason)
		require.LessOrEqual(t, len(built), MaxControlPayload)
		require.True(t, len(built) == 0 || utf8.Valid(built[2:]))
		if len(p) <= MaxControlPayload {
			require.Equal(t, string(p), string(built))
		}
	})
}
