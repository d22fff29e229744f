package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/oklog/run"

	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/image"
	"github.com/wsfleet/wsfleet/test/lab/machine"
	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/network"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
)

// Options are what a lab can be started with.
type Options struct {
	Place place.Place
	Port  int // of the AWS API on the loopback address
	Moto  moto.Installation
	Log   *slog.Logger
}

// Serve is the lab: it returns when ctx ends or a part fails, and leaves nothing of it but logs.
func Serve(ctx context.Context, o Options) (err error) {
	p := o.Place
	lock, err := proc.Lock(filepath.Join(p.Run, "lock"))
	if err != nil {
		return err
	}
	defer lock.Close()
	forgetLastWords(p)
	defer func() {
		if err != nil && ctx.Err() == nil {
			saveLastWords(p, err)
		} else {
			err = nil
		}
	}()
	base, err := host.CGroupBase()
	if err != nil {
		return err
	}
	me, err := proc.Of(os.Getpid())
	if err != nil {
		return err
	}
	record := Record{Daemon: me, Project: p.Project, CGroup: filepath.Join(base, p.Unit())}
	if err := proc.Save(RecordFile(p), record); err != nil {
		return err
	}
	// The file stays when the clean-up below fails: `lab down` goes by it.
	cache := image.Cache{Dir: p.Cache}
	use, err := cache.Use()
	if err != nil {
		return fmt.Errorf("image: %w", err)
	}
	defer use.Close()

	kernel := KernelRecord(p)
	if err := errors.Join(kernel.Take(), machine.RaiseLimits()); err != nil {
		return fmt.Errorf("kernel parameters: %w", err)
	}
	defer func() { logError(o.Log, "kernel parameters", kernel.Restore()) }()

	api, err := moto.Start(ctx, o.Moto, o.Port, p.Run, p.Log("moto"))
	if err != nil {
		return err
	}
	defer api.Stop()

	bridges, err := network.NewSwitch(p.Switch(), p.Prefix)
	if err != nil {
		return err
	}
	defer func() { logError(o.Log, "network", bridges.Close()) }()
	defer host.SweepCGroup(record.CGroup)

	fleet := &ec2sync.Fleet{
		Place: p, Image: cache.Path(), CGroup: record.CGroup, API: api.Address(),
		Cloud: ec2sync.NewCloud(api.URL()), Switch: bridges, Log: o.Log,
	}
	report := Report{Daemon: me, Project: p.Project, Started: time.Now(), API: api.URL(), MotoPID: api.PID(), Moto: o.Moto, Image: cache.Path()}
	listener, err := listen(p.Socket())
	if err != nil {
		return err
	}
	o.Log.Info("lab is up", "api", api.URL(), "moto", o.Moto.Version, "image", cache.Path())

	var g run.Group
	g.Add(untilDone(ctx, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }))
	g.Add(untilDone(ctx, func(ctx context.Context) error {
		select {
		case <-api.Done():
			return api.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}))
	g.Add(untilDone(ctx, fleet.Run))
	server := &http.Server{Handler: answer(report, fleet), ReadHeaderTimeout: time.Second}
	g.Add(func() error { return server.Serve(listener) }, func(error) { server.Close() })
	err = g.Run()
	o.Log.Info("lab ends", "reason", err)
	return err
}

// untilDone makes an actor of a function that ends with its context.
func untilDone(ctx context.Context, f func(context.Context) error) (func() error, func(error)) {
	ctx, cancel := context.WithCancel(ctx)
	return func() error { return f(ctx) }, func(error) { cancel() }
}

// listen opens the socket, in place of one that a killed daemon left.
func listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}

// answer serves the report. Measuring takes time, so that two who ask at once wait for each other.
func answer(report Report, fleet *ec2sync.Fleet) http.Handler {
	var mu sync.Mutex
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		r := report
		r.Hosts, r.Problem = fleet.Hosts()
		_ = json.NewEncoder(w).Encode(r) // the asker went away
	})
	return mux
}

func logError(log *slog.Logger, what string, err error) {
	if err != nil {
		log.Error("clean up "+what, "error", err)
	}
}

// LastWords is why the last daemon failed, or empty.
func LastWords(p place.Place) string {
	words, err := os.ReadFile(lastWordsFile(p))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(words))
}

func saveLastWords(p place.Place, err error) {
	_ = os.WriteFile(lastWordsFile(p), []byte(err.Error()+"\n"), 0o644) // nothing more can be done
}

func forgetLastWords(p place.Place) { _ = os.Remove(lastWordsFile(p)) }
