//go:build linux

package siege

import (
	"flag"
	"os"
	"testing"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

var (
	full    = flag.Bool("full", false, "attack at full size")
	outFile = flag.String("out", "", "write the figures to this `file`")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(nodetest.Main(m, func() error {
		if *outFile == "" {
			return nil
		}
		return figures.write(*outFile)
	}))
}

// size is n at full size, a tenth of it otherwise.
func size(n int) int {
	if *full {
		return n
	}
	return n / 10
}
