//go:build linux

package engine

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// sampleSize is how much of a wrong message is kept, in bytes.
const sampleSize = 256

// keep makes a sample of a failure unless there are enough of its class.
func (c *client) keep(class string, text func() string) {
	if c.e.counts.SampleWanted(class) {
		c.e.counts.AddSample(report.Sample{Class: class, Connection: int64(c.number()), Target: c.target().URL, Error: text()})
	}
}

func (c *client) sample(class string, payload []byte) {
	c.keep(class, func() string { return "got " + quote(payload) })
}

func (c *client) sampleError(class string, err error) {
	c.keep(class, func() string {
		switch {
		case errors.Is(err, io.EOF) && (c.state == connecting || c.state == handshaking):
			return "the server closed the connection without an answer"
		case errors.Is(err, io.EOF):
			return "the server closed the connection without a close frame"
		}
		return err.Error()
	})
}

// sampleBroadcast keeps what befell one broadcast on its way to c.
func (c *client) sampleBroadcast(what string, sequence uint32) {
	c.keep("broadcast."+what, func() string { return fmt.Sprintf("broadcast %d", sequence) })
}

// lostShown is how many lost broadcasts of a connection are named.
const lostShown = 10

// sampleLost names the broadcasts, of those published in s, that c did not get.
func (c *client) sampleLost(of *published, s span) {
	c.keep("broadcast.lost", func() string {
		text, n := "broadcast", 0
		low, high := of.within(s)
		for sequence := low; sequence < high; sequence++ {
			if c.seen.has(sequence) || slices.Contains(of.failed, sequence) {
				continue
			}
			if n++; n > lostShown {
				return text + " …"
			}
			text += fmt.Sprintf(" %d", sequence)
		}
		return text
	})
}
