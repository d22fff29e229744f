package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Recap is what Ansible did to one host.
type Recap struct {
	Host                             string
	OK, Changed, Unreachable, Failed int
}

// Configure runs site.yml and returns its recap.
func (f *Fleet) Configure(ctx context.Context) (recap []Recap, err error) {
	err = f.step("ansible: site.yml with "+f.edge(), func() error {
		log, err := f.logFile(fmt.Sprintf("ansible-%s-%d", f.Balancer, f.layer()))
		if err != nil {
			return err
		}
		defer log.Close()
		var all strings.Builder
		progress := &playProgress{f: f}
		vars, err := json.Marshal(f.Ansible) // null, for none, is as good as {} to Ansible
		if err != nil {
			return err
		}
		args := []string{"site.yml"}
		for _, s := range append([]string{"lab"}, f.Scenarios...) {
			args = append(args, "-e", "@scenarios/"+s+".yml")
		}
		args = append(args, "-e", string(vars), "-e", "edge_balancer="+f.Balancer, "-e", fmt.Sprint("edge_layer=", f.layer()),
			"-e", "fleet_known_hosts="+filepath.Join(f.Home, ".lab", "known_hosts"))
		runErr := f.exec(ctx, io.MultiWriter(log, &all, progress), filepath.Join(f.Root, "ansible"), "ansible-playbook", args...)
		if runErr != nil {
			return fmt.Errorf("%w\n(the whole output: %s)", runErr, log.Name())
		}
		if recap = parseRecap(all.String()); len(recap) == 0 {
			return fmt.Errorf("no recap in its output: %s", log.Name())
		}
		changed := 0
		for _, r := range recap {
			changed += r.Changed
		}
		f.say("%d hosts, %d tasks changed something", len(recap), changed)
		return nil
	})
	return recap, err
}

var recapLine = regexp.MustCompile(`(?m)^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)`)

func parseRecap(out string) []Recap {
	_, out, found := strings.Cut(out, "PLAY RECAP")
	if !found {
		return nil
	}
	var recap []Recap
	for _, m := range recapLine.FindAllStringSubmatch(out, -1) {
		n := func(i int) int { v, _ := strconv.Atoi(m[i]); return v }
		recap = append(recap, Recap{Host: m[1], OK: n(2), Changed: n(3), Unreachable: n(4), Failed: n(5)})
	}
	return recap
}

// playProgress shows the names of plays as they begin.
type playProgress struct {
	f    *Fleet
	rest string
}

var playLine = regexp.MustCompile(`^PLAY \[(.+?)\]`)

func (p *playProgress) Write(b []byte) (int, error) {
	p.rest += string(b)
	for {
		line, rest, found := strings.Cut(p.rest, "\n")
		if !found {
			return len(b), nil
		}
		p.rest = rest
		if m := playLine.FindStringSubmatch(line); m != nil {
			p.f.say("play: %s", m[1])
		}
	}
}
