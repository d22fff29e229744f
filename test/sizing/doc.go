// Package sizing derives a fleet from the connections and messages that it is to carry: hosts and processes of each
// role, memory, network, Redis, Prometheus, load generators and what an hour costs. It is arithmetic over figures that
// this repository measured; docs/sizing.md shows it worked out.
//
// The model is written as formulas (rules_*.go), which are evaluated and shown from the same text, so the arithmetic
// that is shown is the arithmetic that was done.
package sizing
