// Command leftovers looks for what is left of the fleet in an AWS account: everything that carries the tag Project=wsfleet.
// It prints what it finds, one a line, and exits with 1 if there is something: nothing costs money after a clean run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/config"
)

// errLeft says that something is left; what it is has been printed.
var errLeft = errors.New("something of the fleet is left; `terraform destroy` with its state removes it")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "leftovers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("leftovers", flag.ContinueOnError)
	fs.SetOutput(stderr)
	cluster := fs.String("cluster", "", "only what carries the tag Cluster=`NAME`")
	regions := fs.String("regions", "eu-central-1", "regions to look in, `LIST` with commas; all: every one that the account may use")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	names, err := regionsOf(ctx, *regions)
	if err != nil {
		return err
	}
	left := 0
	for i, name := range names {
		cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(name))
		if err != nil {
			return fmt.Errorf("AWS configuration: %w", err)
		}
		found, err := findIn(ctx, cfg, *cluster, i == 0)
		if err != nil {
			return fmt.Errorf("region %s: %w", name, err)
		}
		for _, thing := range found {
			fmt.Fprintf(stdout, "%s\t%s\t%s\n", name, thing.Type, thing.ID)
		}
		left += len(found)
	}
	if left > 0 {
		return fmt.Errorf("%d: %w", left, errLeft)
	}
	fmt.Fprintf(stdout, "nothing of the fleet is left in %s\n", strings.Join(names, ", "))
	return nil
}
