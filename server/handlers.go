//go:build linux

package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/wsfleet/wsfleet/server/session"
)

// handlers are the applications that -handler chooses from. One of your own is a
// file that adds itself here in its init function.
var handlers = map[string]func(*node) session.Handler{
	"echo":  func(*node) session.Handler { return echo{} },
	"relay": func(n *node) session.Handler { return relay{n.broker, &n.relayDropped} },
}

func handlerNames() string { return strings.Join(slices.Sorted(maps.Keys(handlers)), ", ") }
