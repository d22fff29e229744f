// Package fanout holds the tests that break what joins the nodes: Redis dies, fails over,
// stands still or talks nonsense, a node is lost, in a stream of broadcasts to clients
// that check everything. `go test` runs them in small; `make faults` at full size, and
// writes what it saw to docs/results/fanout.md.
package fanout
