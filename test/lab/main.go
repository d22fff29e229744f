// Command lab is EC2 on this machine: it runs moto's server as the AWS API and boots every instance that the API says runs as a
// Debian host. See README.md in this folder.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/place"
)

// defaultPort is moto's own.
const defaultPort = 5000

// lab is what every command gets.
type lab struct {
	place.Place
	port           int
	stdout, stderr io.Writer
}

// command is one command of the lab. Its setup adds its flags and returns what runs it with the arguments left.
type command struct {
	name, args, help string
	setup            func(*flag.FlagSet) func(context.Context, *lab, []string) error
}

// commands in the order of the help text. Those without a help text are for the lab itself.
func commands() []command {
	return []command{
		{"up", "", "start the lab: image if needed, AWS API, hosts", setupUp},
		{"down", "", "end it and remove everything of it but the image", setupDown},
		{"status", "", "show the hosts", setupStatus},
		{"wait", "", "wait until the hosts answer on SSH", setupWait},
		{"ssh", "HOST [COMMAND...]", "log in to a host: instance id, address, or role and number such as node-0", setupSSH},
		{"env", "", `print the environment of Terraform, Ansible and aws: eval "$(lab env)"`, setupEnv},
		{"image", "", "build the hosts' image", setupImage},
		{daemon.Command, "", "", setupServe},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	interrupted := ctx.Err() != nil
	stop()
	var status exitStatus
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.As(err, &status):
		os.Exit(int(status))
	case interrupted:
		fmt.Fprintln(os.Stderr, "lab: interrupted")
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
}

// exitStatus is an error that has been told already, or is another program's.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == host.ShimCommand {
		return host.Shim(args[1:])
	}
	l := &lab{stdout: stdout, stderr: stderr}
	var name, project string
	global := func(fs *flag.FlagSet) {
		fs.StringVar(&name, "name", orDefault(name, place.DefaultName), "the lab's `name`, for a second one beside the first, such as a test's")
		fs.StringVar(&project, "project", project, "the `folder` of the clone (default: the one around the working directory)")
		fs.IntVar(&l.port, "port", max(l.port, defaultPort), "the `port` of the AWS API on 127.0.0.1")
	}
	fs := newFlagSet("lab", stderr)
	global(fs)
	fs.Usage = func() { usage(fs) }
	if err := fs.Parse(args); err != nil {
		return quiet(err)
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return exitStatus(2)
	}
	for _, c := range commands() {
		if c.name != fs.Arg(0) {
			continue
		}
		own := newFlagSet("lab "+c.name, stderr)
		own.IntVar(&l.port, "port", l.port, "the `port` of the AWS API on 127.0.0.1")
		action := c.setup(own)
		own.Usage = func() {
			fmt.Fprintf(own.Output(), "usage: lab %s [flags] %s\n%s\n", c.name, c.args, c.help)
			own.PrintDefaults()
		}
		if err := own.Parse(fs.Args()[1:]); err != nil {
			return quiet(err)
		}
		if c.args == "" && own.NArg() > 0 {
			return fmt.Errorf("%s: unexpected argument %q", c.name, own.Arg(0))
		}
		if l.port < 1 || l.port > 65535 {
			return fmt.Errorf("-port %d: want 1 to 65535", l.port)
		}
		var err error
		if l.Place, err = findPlace(name, project); err != nil {
			return err
		}
		return action(ctx, l, own.Args())
	}
	return fmt.Errorf("unknown command %q; see lab -h", fs.Arg(0))
}

func newFlagSet(name string, stderr io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	return fs
}

// quiet keeps the error of a bad flag, which package flag has printed, from being printed twice.
func quiet(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return exitStatus(2)
}

func usage(fs *flag.FlagSet) {
	out := fs.Output()
	fmt.Fprint(out, "EC2 on this machine.\n\nusage: lab [flags] COMMAND\n\n")
	for _, c := range commands() {
		if c.help != "" {
			fmt.Fprintf(out, "  %-26s %s\n", c.name+" "+c.args, c.help)
		}
	}
	fmt.Fprint(out, "\nflags:\n")
	fs.PrintDefaults()
}

// findPlace finds the project around the working directory unless one is given.
func findPlace(name, project string) (place.Place, error) {
	if project == "" {
		dir, err := os.Getwd()
		if err != nil {
			return place.Place{}, err
		}
		if project, err = place.FindProject(dir); err != nil {
			return place.Place{}, err
		}
	}
	project, err := filepath.Abs(project)
	if err != nil {
		return place.Place{}, err
	}
	if info, err := os.Stat(project); err != nil || !info.IsDir() {
		return place.Place{}, fmt.Errorf("-project %q is not a folder", project)
	}
	return place.New(name, project)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
