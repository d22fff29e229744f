// Command fleet stands the whole fleet up on this machine and verifies it: what
// `make up` runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/wsfleet/wsfleet/test/cluster"
)

const (
	// scenarioHolds is what the fleet of the lab's scenario holds; for more, another is made.
	scenarioHolds = 20_000
	// maxConnections is far above what a machine of today holds with all parts on it.
	maxConnections = 10_000_000
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	err := run(ctx, os.Args[1:], os.Stdout)
	interrupted := ctx.Err() != nil
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case interrupted:
		fmt.Fprintln(os.Stderr, "fleet: interrupted; make down removes what is there")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	f := &cluster.Fleet{Root: root, Home: root, Lab: "lab", Port: 5000, Out: out}
	if len(args) == 1 && args[0] == "prometheus" {
		url, err := f.FindPrometheus(ctx)
		if err == nil {
			fmt.Fprintln(out, url)
		}
		return err
	}
	if len(args) == 0 || args[0] != "up" {
		return errors.New("usage: fleet up [-balancer haproxy|nginx] [-layer 7|4] [-connections n], or fleet prometheus for the address of its Prometheus")
	}
	fs := flag.NewFlagSet("fleet up", flag.ContinueOnError)
	fs.StringVar(&f.Balancer, "balancer", "haproxy", "haproxy or nginx")
	fs.IntVar(&f.Layer, "layer", 7, "of the balancer: 7 (HTTP) or 4 (TCP)")
	fs.IntVar(&f.Connections, "connections", 10_000, "connections to open and verify")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if !slices.Contains(cluster.Balancers, f.Balancer) {
		return fmt.Errorf("-balancer %q: want one of %s", f.Balancer, strings.Join(cluster.Balancers, ", "))
	}
	if !slices.Contains(cluster.Layers, f.Layer) {
		return fmt.Errorf("-layer %d: want 7 or 4", f.Layer)
	}
	if f.Connections < 1 || f.Connections > maxConnections {
		return fmt.Errorf("-connections %d: want 1 to %d", f.Connections, maxConnections)
	}
	if f.Connections > scenarioHolds {
		f.Fit(cluster.SizeFor(f.Connections))
	}
	return up(ctx, f)
}

func up(ctx context.Context, f *cluster.Fleet) error {
	start := time.Now()
	t := terratestT{}
	if err := f.StartLab(ctx); err != nil {
		return err
	}
	if err := f.Apply(ctx, t); err != nil {
		return err
	}
	if err := f.WaitForHosts(ctx); err != nil {
		return err
	}
	if _, err := f.Configure(ctx); err != nil {
		return err
	}
	v, err := f.Verify(ctx)
	if err != nil {
		return err
	}
	f.Summary(v, time.Since(start))
	return nil
}

// terratestT stands for the test that Terratest wants to log for. Only functions
// that return their errors are called with it.
type terratestT struct{}

func (terratestT) Fail()                     {}
func (terratestT) FailNow()                  { panic("fleet: Terratest gave up without an error") }
func (terratestT) Fatal(a ...any)            { panic(fmt.Sprint(a...)) }
func (terratestT) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (terratestT) Error(a ...any)            { panic(fmt.Sprint(a...)) }
func (terratestT) Errorf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (terratestT) Name() string              { return "fleet" }
func (terratestT) Helper()                   {}
