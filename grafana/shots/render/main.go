// Command render draws Grafana's dashboards from a Prometheus, each as a page and as a picture: what `make shots` runs.
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
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/wsfleet/wsfleet/grafana/shots"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

// job is what the flags ask for.
type job struct {
	prometheus v1.API
	options    shots.Options
	out        string
	png        bool
	allowEmpty bool
	dashboards []string
}

func run(ctx context.Context, args []string, out io.Writer) error {
	j, err := parse(args, out)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.out, 0o755); err != nil {
		return err
	}
	var failed []error
	for _, path := range j.dashboards {
		if err := j.draw(ctx, path, out); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", path, err))
		}
	}
	return errors.Join(failed...)
}

func parse(args []string, out io.Writer) (*job, error) {
	j := &job{options: shots.Options{Vars: map[string]string{}}}
	fs := flag.NewFlagSet("render", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprintln(out, "usage: render -prometheus URL [flags] dashboard.json ...")
		fs.PrintDefaults()
	}
	url := fs.String("prometheus", "", "`URL` of the Prometheus that is asked")
	last := fs.Duration("last", 30*time.Minute, "how far back the pictures go")
	end := fs.String("end", "", "`time` at which they end, as 2006-01-02T15:04:05Z (default now)")
	fs.DurationVar(&j.options.ScrapeInterval, "scrape-interval", shots.DefaultScrapeInterval, "of that Prometheus")
	fs.IntVar(&j.options.Width, "width", shots.DefaultWidth, "of the pages, in `pixels`")
	fs.Func("var", "`name=value` of a variable of the dashboards, as often as needed", func(text string) error {
		name, value, ok := strings.Cut(text, "=")
		if !ok || name == "" {
			return errors.New("want name=value")
		}
		j.options.Vars[name] = value
		return nil
	})
	fs.StringVar(&j.out, "out", ".", "`folder` for the pages and pictures")
	fs.BoolVar(&j.png, "png", true, "write pictures beside the pages, which needs Chromium")
	fs.BoolVar(&j.allowEmpty, "allow-empty", false, "panels without data are no failure")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if *url == "" {
		return nil, errors.New("-prometheus is missing: the URL of the Prometheus that is asked")
	}
	if *last <= 0 {
		return nil, fmt.Errorf("-last %s: want more than 0", *last)
	}
	if j.dashboards = fs.Args(); len(j.dashboards) == 0 {
		return nil, errors.New("no dashboard: name one file or more")
	}
	j.options.End = time.Now()
	if *end != "" {
		var err error
		if j.options.End, err = time.Parse(time.RFC3339, *end); err != nil {
			return nil, fmt.Errorf("-end %q: want a time as 2006-01-02T15:04:05Z", *end)
		}
	}
	j.options.Start = j.options.End.Add(-*last)
	client, err := api.NewClient(api.Config{Address: *url})
	if err != nil {
		return nil, fmt.Errorf("-prometheus %q: %w", *url, err)
	}
	j.prometheus = v1.NewAPI(client)
	return j, nil
}

// draw writes the page and the picture of a dashboard, also when panels are empty: they show which.
func (j *job) draw(ctx context.Context, path string, out io.Writer) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	page, summary, err := shots.Render(ctx, j.prometheus, text, j.options)
	if err != nil {
		return err
	}
	name := filepath.Join(j.out, strings.TrimSuffix(filepath.Base(path), ".json"))
	if err := os.WriteFile(name+".html", page, 0o644); err != nil {
		return err
	}
	files := name + ".html"
	if j.png {
		picture, err := shots.PNG(ctx, page, j.options.Width)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name+".png", picture, 0o644); err != nil {
			return err
		}
		files += ", " + name + ".png"
	}
	fmt.Fprintf(out, "%s: %d panels, %d queries, %d without data\n", files, summary.Panels, summary.Queries, len(summary.Empty))
	if len(summary.Empty) > 0 && !j.allowEmpty {
		return fmt.Errorf("no data in the panels %q (-allow-empty lets them pass)", summary.Empty)
	}
	return nil
}
