//go:build linux

package fanout

import (
	"flag"
	"os"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

var (
	full    = flag.Bool("full", false, "break things at full size")
	outFile = flag.String("out", "", "write the figures to this `file`")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(nodetest.Main(m, func() error {
		if *outFile == "" {
			return nil
		}
		return rows.write(*outFile)
	}))
}

// size is n at full size, small otherwise.
func size[T int | time.Duration](n, small T) T {
	if *full {
		return n
	}
	return small
}
