package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/apionly"
)

// planner makes one plan.
type planner struct {
	root, scenario, ttl string
	emulator            bool
	stdout, stderr      io.Writer
}

func (p planner) plan(ctx context.Context) error {
	vars, err := p.variables(time.Now())
	if err != nil {
		return err
	}
	if p.emulator {
		return p.emulated(ctx, vars)
	}
	tf := terraform{p.root, os.Environ()}
	initArgs := []string{"init", "-input=false"}
	if _, err := os.Stat(filepath.Join(tf.dir(), "backend_override.tf")); errors.Is(err, os.ErrNotExist) {
		// A state of its own for each scenario, in the folder. With a backend override, that says where.
		initArgs = append(initArgs, "-reconfigure", "-backend-config=path="+p.scenario+".tfstate")
	}
	if err := tf.run(ctx, p.stderr, initArgs...); err != nil {
		return err
	}
	file := p.scenario + ".tfplan"
	if err := tf.run(ctx, p.stdout, append([]string{"plan", "-input=false", "-out=" + file}, vars...)...); err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "\nTo make it so:  terraform -chdir=terraform/cluster apply %s\n", file)
	return nil
}

// variables are the arguments that choose the scenario and the end of the cluster.
func (p planner) variables(now time.Time) ([]string, error) {
	file, err := varFile(p.root, p.scenario)
	if err != nil {
		return nil, err
	}
	if p.ttl == "never" {
		return []string{file}, nil
	}
	ttl, err := time.ParseDuration(p.ttl)
	if err != nil || ttl < time.Minute {
		return nil, fmt.Errorf("-ttl %q: want a minute or more, such as 8h, or never", p.ttl)
	}
	// To the minute: Scheduler's clock is no finer.
	return []string{file, "-var=expires_at=" + now.Add(ttl).UTC().Truncate(time.Minute).Format(time.RFC3339)}, nil
}

// emulated plans where nothing can cost anything, and keeps nothing.
func (p planner) emulated(ctx context.Context, vars []string) error {
	api, err := apionly.Start(ctx, p.root)
	if err != nil {
		return err
	}
	defer api.Close()
	tf := terraform{p.root, api.Env(os.Environ())}
	if err := tf.initEmulated(ctx, api); err != nil {
		return err
	}
	return tf.run(ctx, p.stdout, append([]string{"plan", "-input=false", "-lock=false"}, vars...)...)
}

// initEmulated readies the root module for an emulated API, with the state in its folder.
func (tf terraform) initEmulated(ctx context.Context, api *apionly.API) error {
	return tf.run(ctx, io.Discard, "init", "-input=false", "-lockfile=readonly",
		"-backend-config=path="+filepath.Join(api.Dir, "terraform.tfstate"))
}
