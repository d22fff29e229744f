package frame

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestHeaderRoundTripAtEveryLengthForm(t *testing.T) {
	for _, length := range []uint64{0, 1, 125, 126, 127, 65535, 65536, 1 << 40, 1<<63 - 1} {
		for _, masked := range []bool{false, true} {
			want := Header{Final: true, RSV: RSV1, Opcode: Binary, Masked: masked, Length: length}
			if masked {
				want.Key = [4]byte{1, 2, 3, 4}
			}
			wire := AppendHeader(nil, want)
			for cut := range wire {
				_, size, err := Parse(wire[:cut])
				require.NoError(t, err)
				require.Zero(t, size, "a header cut at %d of %d bytes", cut, len(wire))
			}
			got, size, err := Parse(append(wire, "payload"...))
			require.NoError(t, err)
			require.Equal(t, len(wire), size)
			require.Equal(t, want, got)
		}
	}
}

func TestLengthMustBeMinimal(t *testing.T) {
	for name, wire := range map[string][]byte{
		"125 in two bytes":   {0x82, 126, 0, 125},
		"65535 in eight":     {0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
		"highest bit is set": {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1},
	} {
		_, _, err := Parse(wire)
		require.ErrorIs(t, err, ErrLength, name)
	}
}

func TestMaskAgainstTheRFCsFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for n := range 100 {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		key := [4]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())}
		want := bytes.Clone(p)
		for i := range want {
			want[i] ^= key[i%4]
		}
		Mask(key, p)
		require.Equal(t, want, p)
	}
}

func TestClosePayloads(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		code    CloseCode
		ok      bool
	}{
		{"empty", nil, CloseNoStatus, true},
		{"one byte", []byte{3}, CloseProtocolError, false},
		{"normal", ClosePayload(CloseNormal, "bye"), CloseNormal, true},
		{"application", ClosePayload(4999, ""), 4999, true},
		{"reserved 1005", []byte{0x03, 0xed}, CloseProtocolError, false},
		{"unassigned 1016", []byte{0x03, 0xf8}, CloseProtocolError, false},
		{"below 1000", []byte{0x03, 0xe7}, CloseProtocolError, false},
		{"5000", []byte{0x13, 0x88}, CloseProtocolError, false},
		{"reason is not UTF-8", []byte{0x03, 0xe8, 0xff}, CloseInvalidPayload, false},
	} {
		code, _, ok := ParseClose(c.payload)
		require.Equal(t, c.code, code, c.name)
		require.Equal(t, c.ok, ok, c.name)
	}
	long := ClosePayload(CloseNormal, strings.Repeat("ü", 100))
	require.LessOrEqual(t, len(long), MaxControlPayload)
	require.True(t, utf8.Valid(long[2:]))
}
