package cluster

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"

	"github.com/gruntwork-io/terratest/modules/logger"
	"github.com/gruntwork-io/terratest/modules/terraform"
	terratest "github.com/gruntwork-io/terratest/modules/testing"

	"github.com/wsfleet/wsfleet/test/lab/emulator"
)

// terraformOptions are Terratest's, with state and plug-ins in the lab's folder, so
// that a clone stays clean.
func (f *Fleet) terraformOptions(log io.Writer) *terraform.Options {
	labDir := filepath.Join(f.Home, ".lab")
	env := map[string]string{"TF_DATA_DIR": filepath.Join(labDir, "terraform"), "TF_IN_AUTOMATION": "1"}
	for _, v := range f.env {
		if name, value, _ := strings.Cut(v, "="); strings.HasPrefix(name, "TF_") || strings.HasPrefix(name, "AWS_") {
			env[name] = value
		}
	}
	state := "-state=" + filepath.Join(labDir, "terraform.tfstate")
	o := &terraform.Options{
		TerraformDir:    filepath.Join(f.Root, "terraform", "cluster"),
		TerraformBinary: "terraform",
		VarFiles:        []string{filepath.Join(f.Root, "terraform", "cluster", "scenarios", "lab.tfvars")},
		EnvVars:         env,
		NoColor:         true,
		Lock:            true,
		Logger:          logger.New(lineLogger{log}),
		ExtraArgs: terraform.ExtraArgs{
			Apply: []string{state}, Destroy: []string{state}, Plan: []string{state},
		},
		SetVarsAfterVarFiles: true,
	}
	o.Vars = maps.Clone(f.Terraform)
	return o
}

// inNetwork returns the variables that put a cluster in a network of its own.
func inNetwork(cidr string) map[string]any {
	return map[string]any{"vpc_cidr": cidr, "admin_cidrs": []string{cidr}}
}

// lineLogger writes Terratest's log lines to a file.
type lineLogger struct{ w io.Writer }

// Logf implements logger.TestLogger.
func (l lineLogger) Logf(_ terratest.TestingT, format string, args ...any) {
	fmt.Fprintf(l.w, format+"\n", args...)
}

// withTerraform runs do with options whose output goes to a log file. do must not
// give ctx to Terratest, which would kill Terraform in the middle of writing its
// state: Ctrl-C in a terminal reaches Terraform itself, and it ends in its own way.
func (f *Fleet) withTerraform(ctx context.Context, logName string, do func(*terraform.Options) error) error {
	log, err := f.logFile(logName)
	if err != nil {
		return err
	}
	defer log.Close()
	logger.Default = logger.New(lineLogger{log}) // its retries log there whatever the options say
	err = do(f.terraformOptions(log))
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w\n(the whole output: %s)", err, log.Name())
	}
	return nil
}

// Apply creates the fleet's infrastructure.
func (f *Fleet) Apply(ctx context.Context, t terratest.TestingT) error {
	return f.step("terraform apply", func() error {
		return f.withTerraform(ctx, "terraform-apply", func(o *terraform.Options) error {
			out, err := terraform.InitAndApplyContextE(t, context.WithoutCancel(ctx), o)
			if err != nil {
				return err
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "Apply complete!") {
					f.say("%s", strings.TrimSpace(line))
				}
			}
			return nil
		})
	})
}

// Destroy removes it again.
func (f *Fleet) Destroy(ctx context.Context, t terratest.TestingT) error {
	return f.step("terraform destroy", func() error {
		return f.withTerraform(ctx, "terraform-destroy", func(o *terraform.Options) error {
			_, err := terraform.DestroyContextE(t, context.WithoutCancel(ctx), o)
			return err
		})
	})
}

// Drift plans once more and returns what would change, apart from what the
// emulator is known to get wrong.
func (f *Fleet) Drift(ctx context.Context, t terratest.TestingT) (unknown []string, err error) {
	known, err := emulator.KnownDrift()
	if err != nil {
		return nil, err
	}
	err = f.step("terraform plan: nothing left to change", func() error {
		return f.withTerraform(ctx, "terraform-plan", func(o *terraform.Options) error {
			o.PlanFilePath = filepath.Join(f.Home, ".lab", "drift.plan")
			plan, err := terraform.InitAndPlanAndShowWithStructContextE(t, context.WithoutCancel(ctx), o)
			if err != nil {
				return err
			}
			for address, change := range plan.ResourceChangesMap {
				unknown = append(unknown, unknownChanges(address, change, known)...)
			}
			return nil
		})
	})
	return unknown, err
}
