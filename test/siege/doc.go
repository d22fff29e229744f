// Package siege holds the tests that attack a real wsnode process: slow and silent
// peers, limits, signals. `go test` runs them at a tenth of their size; `make siege`
// at full size, and writes what it saw to docs/results/siege.md.
package siege
