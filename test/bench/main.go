// Command bench measures wsnode beside servers written with other libraries, one
// after the other on this machine, all with the same client: memory of an idle
// connection, and CPU of the server for each connection, echo and delivery.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

func main() {
	root := flag.String("root", "../..", "the clone, with bin/wsnode and bin/wsload built")
	libs := flag.String("servers", "wsnode,gorilla,gws,nbio,gobwas,coder", "servers to measure, comma-separated")
	connections := flag.Int("connections", 19_000, "connections of each run; a process here may hold no more than its open-file limit")
	size := flag.Int("size", 128, "bytes of an echo's message")
	rounds := flag.Int("rounds", 3, "runs of each server, in turn; the median is shown")
	out := flag.String("out", "", "also write the table to this file")
	flag.Parse()
	if err := run(*root, strings.Split(*libs, ","), plan{*connections, *size}, *rounds, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// plan is what is done to each server.
type plan struct {
	connections int
	size        int // bytes
}

func run(root string, libs []string, p plan, rounds int, outFile string) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "wsfleet-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	peers := filepath.Join(dir, "peers")
	build := exec.Command("go", "build", "-o", peers, "./peers")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the peers: %w", err)
	}
	b := bench{root: root, dir: dir, peers: peers, plan: p}
	results := map[string][]figures{}
	// In turn rather than in blocks: when the machine slows down, all feel it.
	for round := range rounds {
		for _, lib := range libs {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, rounds, lib)
			f, err := b.measure(lib)
			if err != nil {
				return fmt.Errorf("%s: %w", lib, err)
			}
			results[lib] = append(results[lib], f)
		}
	}
	var text bytes.Buffer
	table(&text, libs, results, p, rounds)
	if outFile != "" {
		if err := os.WriteFile(outFile, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	_, err = os.Stdout.Write(text.Bytes())
	return err
}

// table prints the medians as a Markdown table.
func table(w io.Writer, libs []string, results map[string][]figures, p plan, rounds int) {
	fmt.Fprintf(w, "%d connections, echoes of %d B, broadcasts of 128 B, medians of %d runs. %s, %d CPUs, %s.\n\n",
		p.connections, p.size, rounds, runtime.Version(), runtime.NumCPU(), time.Now().UTC().Format(time.DateOnly))
	tw := tabwriter.NewWriter(w, 0, 1, 1, ' ', 0)
	fmt.Fprintln(tw, "| server\t| KiB a connection\t| CPU a connection\t| CPU an echo\t| CPU a delivery\t| echo p50\t| echo p99\t|")
	fmt.Fprintln(tw, "| ---\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t| ---:\t|")
	for _, lib := range libs {
		m := func(get func(figures) float64) float64 {
			var v []float64
			for _, f := range results[lib] {
				v = append(v, get(f))
			}
			slices.Sort(v)
			return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
		}
		fmt.Fprintf(tw, "| %s\t| %.2f\t| %.1f us\t| %.1f us\t| %.1f us\t| %.2f ms\t| %.2f ms\t|\n", lib,
			m(func(f figures) float64 { return f.idleBytes / 1024 }),
			m(func(f figures) float64 { return f.connectCPU * 1e6 }),
			m(func(f figures) float64 { return f.echoCPU * 1e6 }),
			m(func(f figures) float64 { return f.deliveryCPU * 1e6 }),
			m(func(f figures) float64 { return f.p50 * 1e3 }),
			m(func(f figures) float64 { return f.p99 * 1e3 }))
	}
	tw.Flush()
}
