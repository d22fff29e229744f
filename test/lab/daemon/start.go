package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/wsfleet/wsfleet/test/lab/machine"
	"github.com/wsfleet/wsfleet/test/lab/place"
)

// Command is the hidden command of the lab's binary that is the daemon.
const Command = "serve"

// startTimeout is how long a daemon may take until it answers; moto is the slow part.
const startTimeout = 90 * time.Second

// Start starts a daemon that outlives this process, and waits until it answers.
//
// Where systemd is the machine's init it becomes a unit of its own with a delegated control group, in which it may make groups for
// the hosts. Elsewhere it is a session of its own in our control group.
func Start(ctx context.Context, p place.Place, port int) (Report, error) {
	exe, err := os.Executable()
	if err != nil {
		return Report{}, err
	}
	log, err := os.OpenFile(p.Log("daemon"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return Report{}, err
	}
	defer log.Close()
	args := []string{exe, "-name", p.Name, "-project", p.Project, "-port", strconv.Itoa(port), Command}
	if machine.HasSystemd() {
		args = append([]string{
			"systemd-run", "--quiet", "--unit=" + p.Unit(), "--collect",
			"--property=Delegate=yes", "--property=KillMode=mixed", "--property=LimitNOFILE=infinity", "--property=TasksMax=infinity",
			"--setenv=PATH=" + os.Getenv("PATH"), "--setenv=HOME=" + os.Getenv("HOME"),
			"--property=StandardOutput=append:" + p.Log("daemon"), "--property=StandardError=inherit",
			"--",
		}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return Report{}, fmt.Errorf("start the daemon: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		report, err := Ask(ctx, p)
		if err == nil {
			return report, nil
		}
		if words := LastWords(p); words != "" {
			return Report{}, errors.New(words)
		}
		select {
		case err := <-ended:
			// systemd-run ends once the unit has started.
			switch {
			case err != nil:
				return Report{}, fmt.Errorf("the daemon ended: %w; see %s", err, p.Log("daemon"))
			case !machine.HasSystemd():
				return Report{}, fmt.Errorf("the daemon ended; see %s", p.Log("daemon"))
			}
			ended = nil
		case <-ctx.Done():
			return Report{}, fmt.Errorf("the daemon does not answer: %w; see %s", ctx.Err(), p.Log("daemon"))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
