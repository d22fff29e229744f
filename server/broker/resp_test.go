package broker

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func readPushes(text string) (all []push, err error) {
	r := pushReader{r: bufio.NewReader(strings.NewReader(text))}
	for {
		p, err := r.next()
		if err != nil {
			return all, err
		}
		all = append(all, p)
	}
}

func TestPushes(t *testing.T) {
	got, err := readPushes("+PONG\r\n" +
		"*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n" +
		"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$5\r\nx\r\ny\x00\r\n" +
		"*3\r\n$8\r\nsmessage\r\n$0\r\n\r\n$0\r\n\r\n" +
		"*2\r\n$4\r\npong\r\n$0\r\n\r\n" +
		"*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n")
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []push{
		{kind: "pong"},
		{kind: "subscribe", channel: "a"},
		{kind: "message", channel: "a", payload: []byte("x\r\ny\x00")},
		{kind: "smessage", payload: []byte{}},
		{kind: "pong"},
		{kind: "unsubscribe"},
	}, got)
}

func TestErrorsOfTheServerAreTold(t *testing.T) {
	_, err := readPushes("-NOAUTH Authentication required.\r\n")
	require.EqualError(t, err, "NOAUTH Authentication required.")
}

func TestGarbageIsRefused(t *testing.T) {
	for _, text := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "\r\n", "x\n", "\n", "*\r\n", "*1\r\n:1\r\n", "*3\r\n:1\r\n", "*2\r\n$7\r\nmessage\r\n",
		"*3\r\n$4\r\npong\r\n", "*3\r\n$7\r\nmessage\r\n$-2\r\n", "*3\r\n$7\r\nmessage\r\n$99999999999999\r\n", "*3\r\n$7\r\nunheard\r\n",
		"*3\r\n$7\r\nmessage\r\n$1\r\naXX", "*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n+x\r\n", "*-1\r\n", "$5\r\nhello\r\n", strings.Repeat("x", 100000),
	} {
		_, err := readPushes(text)
		require.ErrorIs(t, err, errGarbage, "%.40q", text)
		require.Less(t, len(err.Error()), 300)
	}
	// A length is believed as far as something comes.
	_, err := readPushes("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$400000000\r\nx")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func FuzzPushes(f *testing.F) {
	f.Add("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
	f.Add("*2\r\n$4\r\npong\r\n$0\r\n\r\n-ERR x\r\n+OK\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := readPushes(text)
		var told serverError
		require.True(t, errors.Is(err, errGarbage) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &told), "%v", err)
		for _, p := range all {
			require.Contains(t, kinds, p.kind)
		}
	})
}
