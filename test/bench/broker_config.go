package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// completeBroker is about the flags of the parts about the broker.
func (c *config) completeBroker(channels string) (err error) {
	if !slices.Contains([]string{libraries, fanout, sustained}, c.part) {
		return fmt.Errorf("-part %q: want %s, %s or %s", c.part, libraries, fanout, sustained)
	}
	if c.connections == 0 {
		c.connections = 10_000
		if c.part == sustained {
			c.connections = 19_000
		}
	}
	if _, err = parseConnections(strconv.Itoa(c.connections)); err != nil {
		return fmt.Errorf("-connections %d: %w", c.connections, err)
	}
	if c.channels, err = parseScaling(channels); err != nil {
		return fmt.Errorf("-channels %q: %w", channels, err)
	}
	if len(c.channels) == 0 {
		return fmt.Errorf("-channels %q: want one number at least", channels)
	}
	if n := slices.Max(c.channels); c.part == fanout && n > c.connections {
		return fmt.Errorf("-channels %q: %d channels are more than %d connections", channels, n, c.connections)
	}
	if c.rate < 0 {
		return fmt.Errorf("-rate %g: want 0 or more", c.rate)
	}
	if c.minute < time.Second {
		return fmt.Errorf("-for %s: want 1s or more", c.minute)
	}
	return nil
}
