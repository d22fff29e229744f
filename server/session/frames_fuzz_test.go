//go:build linux

package session_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session/frame"
)

// FuzzFrames: after the handshake, whatever comes, in whatever pieces, is answered
// as the model says, and no more is kept than the read limit allows.
func FuzzFrames(f *testing.F) {
	cfg := defaults()
	cfg.ReadLimit = 1 << 10
	plain := newBench(f, cfg)
	cfg.Compression = true
	deflating := newBench(f, cfg)
	for _, c := range rfc6455 {
		f.Add(c.send, []byte{1}, false)
		f.Add(c.send, []byte{3, 0, 200}, true)
	}
	for _, c := range rfc7692 {
		f.Add(c.send, []byte{5, 1}, true)
	}
	f.Fuzz(func(t *testing.T, data, cuts []byte, compress bool) {
		b, request := plain, goodRequest+"\r\n"
		if compress {
			b, request = deflating, goodRequest+offer("")+"\r\n"
		}
		held := 2 * (2*cfg.ReadLimit + 2*frame.MaxHeaderSize + len(data))
		want, ended := (&model{limit: cfg.ReadLimit, deflate: compress, in: data}).run()
		for _, pieces := range [][][]byte{split(data, nil), split(data, cuts)} {
			x := b.run(t, append([][]byte{[]byte(request)}, pieces...), held)
			_, frames, ok := bytes.Cut(x.answer, []byte("\r\n\r\n"))
			require.True(t, ok, "%q", x.answer)
			require.Equal(t, want, describe(t, frames, compress))
			require.Equal(t, ended, x.ended)
		}
	})
}

// describe lists the server's frames as the model does: one line a message, close
// reasons left out.
func describe(t *testing.T, p []byte, compress bool) (out []string) {
	var message []byte
	var first frame.Header
	for len(p) > 0 {
		h, size, err := frame.Parse(p)
		require.NoError(t, err)
		require.True(t, size > 0 && h.Length <= uint64(len(p)-size), "a frame is cut off: %q", p)
		payload := p[size : size+int(h.Length)]
		p = p[size+int(h.Length):]
		switch h.Opcode {
		case frame.Close:
			code, _, ok := frame.ParseClose(payload)
			require.True(t, ok)
			require.Empty(t, p, "nothing follows a close frame")
			out = append(out, fmt.Sprintf("close %d", code))
			continue
		case frame.Pong:
			out = append(out, fmt.Sprintf("pong %q", payload))
			continue
		case frame.Continuation:
			require.NotZero(t, first.Opcode)
			require.Zero(t, h.RSV)
		default:
			require.True(t, h.RSV == 0 || h.RSV == frame.RSV1 && compress)
			first = h
		}
		message = append(message, payload...)
		if !h.Final {
			continue
		}
		if first.RSV != 0 {
			message = inflate(t, message)
		}
		out = append(out, fmt.Sprintf("%s %q", map[frame.Opcode]string{frame.Text: "text", frame.Binary: "binary"}[first.Opcode], message))
		message, first = nil, frame.Header{}
	}
	return out
}

func inflate(t *testing.T, p []byte) []byte {
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader([]byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))))
	plain, err := io.ReadAll(r)
	require.NoError(t, err)
	return plain
}
