//go:build linux

package measure

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/wsfleet/wsfleet/test/nodetest"
)

var (
	full    = flag.Bool("full", false, "measure at full size")
	outFile = flag.String("out", "", "write the figures to this `file`")
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(nodetest.Main(m, func() error {
		if *outFile == "" {
			return nil
		}
		return found.write(*outFile)
	}))
}

// size is n at full size, small otherwise: small runs show that the measuring works, not what is measured.
func size[T int | time.Duration](n, small T) T {
	if *full {
		return n
	}
	return small
}

// figures are those that were taken, in their order.
type figures struct {
	mu       sync.Mutex
	edges    []string // guarded by mu, as is the next one
	singular []string
}

var found figures

func (f *figures) edge(name string, layer int, c edgeCost) {
	f.mu.Lock()
	defer f.mu.Unlock()
	series := ""
	if c.series > 0 {
		series = fmt.Sprint(c.series)
	}
	f.edges = append(f.edges, fmt.Sprintf("| %s, layer %d | %.2f KiB | %.1f us | %.1f us | %.1f us | %.1f us | %s |",
		name, layer, c.kib, c.connect, c.heartbeat, c.echo, c.delivery, series))
}

func (f *figures) add(t *testing.T, what, format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	row := fmt.Sprintf("| %s | %s |", what, fmt.Sprintf(format, args...))
	f.singular = append(f.singular, row)
	t.Log(row)
}

func (f *figures) write(file string) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Figures for sizing\n\nMade by `make size-figures` (test/sizing/measure) for [the sizing model](../sizing.md): what no other run gives. "+
		"%s, %d CPUs, %s; all parts on one machine, over loopback.\n\n", runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&b, "## A balancer\n\nOne thread of HAProxy or one worker of Nginx before one wsnode, %d connections, messages of 128 B: own memory of a connection "+
		"(resident, beyond that without one), and CPU of the balancer alone, its kernel side of loopback included. 1,000 connections and 1,000 echoes a second, a "+
		"broadcast a second. A heartbeat is a ping and its pong, an echo both ways of it.\n\n", connections())
	fmt.Fprintln(&b, "| balancer | memory | CPU a connection | CPU a heartbeat | CPU an echo | CPU a delivery | series |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, row := range f.edges {
		fmt.Fprintln(&b, row)
	}
	fmt.Fprintln(&b, "\n## Redis and Prometheus\n\n| what | figure |\n| --- | ---: |")
	for _, row := range f.singular {
		fmt.Fprintln(&b, row)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
