package cluster

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/loadtest/figure"
)

// Version is what took part in a run.
type Version struct{ Name, Version string }

var number = regexp.MustCompile(`\d+(\.\d+)+[-~+\w.]*`)

// versions asks the fleet's own hosts for theirs.
func (f *Fleet) versions(ctx context.Context) []Version {
	list := []Version{{"machine", machine()}, {"Go", runtime.Version()}}
	if out, err := exec.CommandContext(ctx, "git", "-C", f.Root, "describe", "--tags", "--always", "--dirty").Output(); err == nil {
		list = append(list, Version{"wsfleet", strings.TrimSpace(string(out))})
	}
	for _, program := range []struct {
		name, role string
		command    []string
	}{
		{"HAProxy", "edge", []string{"/usr/sbin/haproxy", "-v"}},
		{"Nginx", "edge", []string{"/usr/sbin/nginx", "-v"}},
		{"Redis", "redis", []string{"redis-server", "--version"}},
		{"Prometheus", "monitoring", []string{"prometheus", "--version"}},
		{"systemd", "node", []string{"systemctl", "--version"}},
	} {
		if strings.EqualFold(program.name, "nginx") != (f.Balancer == "nginx") && program.role == "edge" {
			continue
		}
		for _, h := range f.role(program.role)[:1] {
			out, _ := f.ssh(ctx, h, program.command...).CombinedOutput()
			list = append(list, Version{program.name, number.FindString(string(out))})
		}
	}
	return list
}

// machine describes the one that carries it all.
func machine() string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	var info unix.Sysinfo_t
	_ = unix.Sysinfo(&info)
	var files unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &files)
	return strconv.Itoa(runtime.NumCPU()) + " cores (" + cpuModel() + "), " + figure.Bytes(float64(info.Totalram)*float64(info.Unit)) +
		", Linux " + unix.ByteSliceToString(name.Release[:]) + ", at most " + figure.Count(int64(files.Max)) + " open files a process"
}

func cpuModel() string {
	file, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if name, model, _ := strings.Cut(lines.Text(), ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return runtime.GOARCH
}
