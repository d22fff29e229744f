// Package cluster stands a whole fleet up in the lab and proves it with real
// connections: Terraform applies it, Ansible configures it, the load generator
// hosts open connections through the balancers, and Prometheus must agree with
// what they count. `make up` and the Terratest suite are both made of its steps.
package cluster

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Fleet is one cluster of the lab.
type Fleet struct {
	Root     string    // the clone
	Lab      string    // name of the lab; "lab" is the one of make up
	Home     string    // the folder that holds the lab's .lab: key, Terraform state, logs
	Port     int       // of the lab's AWS API
	Balancer string    // haproxy or nginx
	Layer    int       // of the balancer: 7, which 0 stands for, or 4
	Out      io.Writer // progress, for people

	// Connections that Verify opens, over all load generator hosts.
	Connections int
	// Terraform and Ansible hold variables that differ from those of the lab's scenario.
	Terraform, Ansible map[string]any
	Scenarios          []string // of Ansible, on top of the lab's

	env   []string // of terraform, ansible and aws, once the lab is up
	hosts []Host
	steps []Step
}

// Step is a part of the work and how long it took.
type Step struct {
	Name string
	Took time.Duration
}

// Balancers that a fleet can have.
var Balancers = []string{"haproxy", "nginx"}

// Layers that a balancer can work in.
var Layers = []int{7, 4}

// layer is the balancer's, never 0.
func (f *Fleet) layer() int { return cmp.Or(f.Layer, Layers[0]) }

// edge names the balancer and its layer.
func (f *Fleet) edge() string { return fmt.Sprintf("%s in layer %d", f.Balancer, f.layer()) }

// step runs f, tells the reader what goes on, and keeps the time.
func (f *Fleet) step(name string, do func() error) error {
	fmt.Fprintf(f.Out, "\n== %s\n", name)
	start := time.Now()
	err := do()
	took := time.Since(start).Round(100 * time.Millisecond)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.steps = append(f.steps, Step{name, took})
	fmt.Fprintf(f.Out, "   done in %s\n", took)
	return nil
}

// say prints a line of progress.
func (f *Fleet) say(format string, args ...any) {
	fmt.Fprintf(f.Out, "   "+format+"\n", args...)
}

// logFile opens a log in the lab's folder, for output too long for a terminal.
func (f *Fleet) logFile(name string) (*os.File, error) {
	dir := filepath.Join(f.Home, ".lab", "logs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return os.Create(filepath.Join(dir, name+".log"))
}

// StartLab starts the lab, image included.
func (f *Fleet) StartLab(ctx context.Context) error {
	return f.step("lab: the AWS API and the image of the hosts", func() error {
		if err := f.lab(ctx, f.Out, "up"); err != nil {
			return err
		}
		return f.loadEnv(ctx)
	})
}

// StopLab ends the lab and everything in it.
func (f *Fleet) StopLab(ctx context.Context) error {
	return f.step("lab: down", func() error { return f.lab(ctx, f.Out, "down") })
}

// WaitForHosts waits until every instance of the API has booted.
func (f *Fleet) WaitForHosts(ctx context.Context) error {
	return f.step("hosts: boot", func() error {
		if err := f.findHosts(ctx); err != nil {
			return err
		}
		return f.lab(ctx, f.Out, "wait", "-n", fmt.Sprint(len(f.hosts)))
	})
}

// lab runs a command of bin/lab.
func (f *Fleet) lab(ctx context.Context, out io.Writer, args ...string) error {
	args = append([]string{"-name", f.Lab, "-project", f.Home, "-port", fmt.Sprint(f.Port)}, args...)
	return f.exec(ctx, out, f.Root, filepath.Join(f.Root, "bin", "lab"), args...)
}

// loadEnv learns what the lab's tools need in their environment, the way a person
// does: by evaluating what `lab env` prints.
func (f *Fleet) loadEnv(ctx context.Context) error {
	var script strings.Builder
	if err := f.lab(ctx, &script, "env"); err != nil {
		return err
	}
	var env strings.Builder
	if err := f.exec(ctx, &env, f.Root, "bash", "-c", script.String()+"\nexport WSFLEET_CLUSTER=lab; env -0"); err != nil {
		return err
	}
	f.env = strings.Split(strings.TrimSuffix(env.String(), "\x00"), "\x00")
	return nil
}

// getenv returns a variable of the lab's environment.
func (f *Fleet) getenv(name string) string {
	for _, v := range f.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}
