// Package measure takes the figures of the sizing model that no other run of this repository gives: what a balancer,
// Redis' subscribers and Prometheus' series cost. make size-figures writes them to docs/results/sizing.md.
package measure
