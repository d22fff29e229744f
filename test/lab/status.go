package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
)

func setupStatus(fs *flag.FlagSet) func(context.Context, *lab, []string) error {
	asJSON := fs.Bool("json", false, "print JSON")
	return func(ctx context.Context, l *lab, _ []string) error {
		report, err := daemon.Ask(ctx, l.Place)
		if err != nil {
			return err
		}
		if *asJSON {
			enc := json.NewEncoder(l.stdout)
			enc.SetIndent("", "  ")
			return enc.Encode(report)
		}
		return printReport(l.stdout, report)
	}
}

func printReport(out io.Writer, r daemon.Report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "INSTANCE\tROLE\tNAME\tADDRESS\tSTATE\tBOOT\tMEMORY\tPROCESSES\tNOTE")
	var memory int64
	for _, h := range r.Hosts {
		boot := "-"
		if h.BootSeconds > 0 {
			boot = fmt.Sprintf("%.1f s", h.BootSeconds)
		}
		memory += h.Memory
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n",
			h.Instance, dash(h.Role), dash(h.Name), h.Address, h.State, boot, mebibytes(h.Memory), h.Processes, h.Note)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d hosts, %s (proportional set size)\nAWS API  %s (moto %s, pid %d)\nimage    %s\ndaemon   pid %d, since %s, for %s\n",
		len(r.Hosts), mebibytes(memory), r.API, r.Moto.Version, r.MotoPID, r.Image, r.Daemon.PID, r.Started.Format("15:04:05"), r.Project)
	if r.Problem != "" {
		fmt.Fprintf(out, "PROBLEM  cannot read the instances: %s\n", r.Problem)
	}
	return nil
}

func mebibytes(b int64) string { return fmt.Sprintf("%.1f MiB", float64(b)/(1<<20)) }

func dash(s string) string { return orDefault(s, "-") }
