//go:build linux

package siege

import (
	"testing"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

// startLoad starts wsload on a target.
func startLoad(t *testing.T, target string, args ...string) *nodetest.Load {
	t.Helper()
	return startLoadIn(t, nil, target, args...)
}

// startLoadIn is startLoad in a network namespace; nil is that of the test.
func startLoadIn(t *testing.T, ns *namespace, target string, args ...string) *nodetest.Load {
	t.Helper()
	return nodetest.Setup{In: ns.run}.StartLoad(t, append(args, target)...)
}
