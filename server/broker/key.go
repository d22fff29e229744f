package broker

import (
	"errors"
	"fmt"
	"strings"
)

// historyKey names the stream of a channel in Redis, as the library does. Channel and
// stream have the same hash slot, unless slotMismatch says otherwise.
func historyKey(channel string) string {
	if hasHashTag(channel) {
		return "wsfleet::" + channel
	}
	return "wsfleet:{" + channel + "}"
}

// hasHashTag reports whether Redis Cluster hashes only a part of the name: what stands
// between its first { and the next }, unless that is empty.
func hasHashTag(name string) bool {
	_, rest, found := strings.Cut(name, "{")
	return found && strings.Index(rest, "}") > 0
}

var errBraces = errors.New("a } without a hash tag ({...}) before it can't be used in a Redis Cluster")

// slotMismatch returns why a cluster can't keep a history of the channel, nil if it can:
// a } would end the hash tag of the key early.
func slotMismatch(channel string) error {
	if strings.Contains(channel, "}") && !hasHashTag(channel) {
		return fmt.Errorf("channel %q: %w", channel, errBraces)
	}
	return nil
}
