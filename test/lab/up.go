package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/image"
	"github.com/wsfleet/wsfleet/test/lab/machine"
	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/proc"
	"github.com/wsfleet/wsfleet/test/lab/progress"
	"github.com/wsfleet/wsfleet/test/lab/sweep"
	"github.com/wsfleet/wsfleet/test/lab/toolenv"
)

func setupUp(*flag.FlagSet) func(context.Context, *lab, []string) error {
	return func(ctx context.Context, l *lab, _ []string) error {
		if err := machine.Check(); err != nil {
			return err
		}
		report, err := daemon.Ask(ctx, l.Place)
		switch {
		case err == nil && report.Project != l.Project:
			return fmt.Errorf("a lab is up already, for %s (daemon pid %d): end it there with lab down", report.Project, report.Daemon.PID)
		case err == nil:
			fmt.Fprintf(l.stdout, "lab: is up already: AWS API %s, %d hosts\n", report.API, len(report.Hosts))
			return nil
		case !errors.Is(err, daemon.ErrDown):
			return err
		case sweep.Alive(l.Place):
			return errors.New("a lab is just starting or ending; wait for it, or end it with lab down")
		}
		return l.up(ctx)
	}
}

// up starts the lab; if it cannot, it leaves nothing behind.
func (l *lab) up(ctx context.Context) (err error) {
	_, statErr := os.Stat(l.Lab())
	newLab := errors.Is(statErr, fs.ErrNotExist)

	if err := os.MkdirAll(l.Run, 0o755); err != nil {
		return err
	}
	lock, err := proc.Lock(sweep.UpLock(l.Place))
	if errors.Is(err, proc.ErrLocked) {
		return errors.New("another `lab up` is at work; wait for it, or end it with lab down")
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	defer func() {
		if err == nil {
			return
		}
		err = errors.Join(err, sweep.StopDaemon(l.Place), sweep.Remove(l.Place), os.RemoveAll(l.Run))
		if newLab {
			err = errors.Join(err, os.RemoveAll(l.Lab()))
		}
	}()
	me, err := proc.Of(os.Getpid())
	if err != nil {
		return err
	}
	// What a lab that was killed left would be in the way.
	if err := sweep.Remove(l.Place); err != nil {
		return fmt.Errorf("remove what an earlier lab left: %w", err)
	}
	if err := proc.Save(sweep.UpFile(l.Place), me); err != nil {
		return err
	}
	python, err := moto.Find(ctx)
	if err != nil {
		return err
	}
	if err := moto.CheckPort(l.port); err != nil {
		return err
	}
	if err := l.image(ctx); err != nil {
		return err
	}
	p := progress.New(l.stdout, "lab")
	defer p.Stop()
	p.Phase("start the AWS API")
	if err := toolenv.Prepare(l.Place, python); err != nil {
		return err
	}
	report, err := daemon.Start(ctx, l.Place, l.port)
	if err != nil {
		return err
	}
	if err := os.Remove(sweep.UpFile(l.Place)); err != nil {
		return err
	}
	p.Done("is up: AWS API %s (moto %s), hosts appear as instances do", report.API, report.Moto.Version)
	return nil
}

// image builds the image unless it is there.
func (l *lab) image(ctx context.Context) error {
	cache := image.Cache{Dir: l.Cache}
	if _, ok := cache.Find(); ok {
		return nil
	}
	p := progress.New(l.stdout, "image")
	defer p.Stop()
	path, err := cache.Build(ctx, p)
	if err != nil {
		return err
	}
	p.Done("is built: %s", path)
	return nil
}

func setupImage(fs *flag.FlagSet) func(context.Context, *lab, []string) error {
	remove := fs.Bool("remove", false, "remove the cache of images and packages instead")
	return func(ctx context.Context, l *lab, _ []string) error {
		cache := image.Cache{Dir: l.Cache}
		if *remove {
			return cache.Remove()
		}
		if err := machine.Check(); err != nil {
			return err
		}
		if path, ok := cache.Find(); ok {
			fmt.Fprintf(l.stdout, "image: is there: %s\n", path)
			return nil
		}
		return l.image(ctx)
	}
}

// setupServe is the daemon. The environment is that of `lab up`.
func setupServe(*flag.FlagSet) func(context.Context, *lab, []string) error {
	return func(ctx context.Context, l *lab, _ []string) error {
		python, err := moto.Find(ctx)
		if err != nil {
			return err
		}
		log := slog.New(slog.NewTextHandler(l.stderr, nil))
		err = daemon.Serve(ctx, daemon.Options{Place: l.Place, Port: l.port, Moto: python, Log: log})
		if err != nil {
			log.Error("lab failed", "error", err)
		}
		return err
	}
}
