//go:build linux

package fanout

import (
	"flag"
	"fmt"
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
	// Tests mostly wait: in small, more of them do so at a time than there are CPUs. At
	// full size each has the machine for itself.
	_ = flag.Set("test.parallel", fmt.Sprint(size(1, 6)))
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
