// Package moto finds and runs moto's server, which answers the AWS API of the lab.
package moto

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Install is what a reader without moto has to do.
const Install = "pip install 'moto[server,all]' boto3"

// Installation is a Python that has moto, and where it keeps the packages that Ansible's AWS inventory needs too.
type Installation struct {
	Python   string            `json:"python"`
	Version  string            `json:"version"`
	Packages map[string]string `json:"packages"` // import name to directory
}

// probe prints what Installation holds. A package that is missing has no entry.
const probe = `
import importlib.util, json, os, sys
from importlib.metadata import version
found = {}
for name in ("boto3", "botocore", "s3transfer", "jmespath"):
    spec = importlib.util.find_spec(name)
    if spec and spec.origin:
        found[name] = os.path.dirname(spec.origin)
print(json.dumps({"python": sys.executable, "version": version("moto"), "packages": found}))
`

// Find looks for the first moto_server on PATH and asks its Python.
func Find(ctx context.Context) (Installation, error) {
	script, err := exec.LookPath("moto_server")
	if err != nil {
		return Installation{}, fmt.Errorf("moto_server is not on PATH; install it: %s", Install)
	}
	python, err := interpreter(ctx, script)
	if err != nil {
		return Installation{}, err
	}
	cmd := exec.CommandContext(ctx, python, "-c", probe)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return Installation{}, fmt.Errorf("%s of %s has no working moto: %w: %s", python, script, err, lastLine(stderr.String()))
	}
	var inst Installation
	if err := json.Unmarshal(out, &inst); err != nil {
		return Installation{}, fmt.Errorf("ask %s for moto: %w", python, err)
	}
	for _, name := range []string{"boto3", "botocore", "s3transfer", "jmespath"} {
		if inst.Packages[name] == "" {
			return inst, fmt.Errorf("the Python of moto (%s) lacks %s; install it: %s -m pip install boto3", inst.Python, name, inst.Python)
		}
	}
	return inst, nil
}

// interpreter returns the Python that the script runs on. pyenv puts a shell script in the real one's place.
func interpreter(ctx context.Context, script string) (string, error) {
	line, err := firstLine(script)
	if err != nil {
		return "", err
	}
	if !strings.Contains(line, "python") {
		out, err := exec.CommandContext(ctx, "pyenv", "which", "moto_server").Output()
		if err != nil {
			return "", fmt.Errorf("%s is not a Python script, and `pyenv which moto_server` fails: %w", script, err)
		}
		if line, err = firstLine(strings.TrimSpace(string(out))); err != nil {
			return "", err
		}
	}
	fields := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(fields) == 0 {
		return "", fmt.Errorf("%s does not name its Python: %q", script, line)
	}
	if filepath.Base(fields[0]) == "env" && len(fields) > 1 {
		return exec.LookPath(fields[1])
	}
	return fields[0], nil
}

func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	if !s.Scan() {
		return "", errors.Join(fmt.Errorf("%s is empty", path), s.Err())
	}
	return s.Text(), nil
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
