//go:build linux

package siege

import (
	"testing"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// node is a wsnode process.
type node struct {
	*nodetest.Node
	t  *testing.T
	ns *namespace // where it runs
}

// startNode runs wsnode until the test ends. Wrap, if given, is a command that runs
// it, such as one that sets limits; it must exec rather than fork.
func startNode(t *testing.T, wrap []string, args ...string) *node {
	t.Helper()
	return startNodeIn(t, nil, wrap, args...)
}

// startNodeIn is startNode in a network namespace; nil is that of the test.
func startNodeIn(t *testing.T, ns *namespace, wrap []string, args ...string) *node {
	t.Helper()
	return &node{nodetest.Setup{Wrap: wrap, In: ns.run, Dial: ns.dial}.Start(t, args...), t, ns}
}
