// Package apionly runs the lab's AWS API without hosts: enough for Terraform to plan, and to apply what nobody logs in to.
package apionly

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/wsfleet/wsfleet/test/lab/moto"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/toolenv"
)

// API is a running one. Close ends it.
type API struct {
	Dir string // a folder of its own, gone with Close: plug-ins, keys, the log; room for state

	server *moto.Server
	env    []toolenv.Variable
}

// Start starts an API for the clone at root, on a free port.
func Start(ctx context.Context, root string) (api *API, err error) {
	inst, err := moto.Find(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "wsfleet-api-")
	if err != nil {
		return nil, err
	}
	a := &API{Dir: dir}
	defer func() {
		if err != nil {
			a.Close()
		}
	}()
	p, err := place.New(place.DefaultName, dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.Lab(), 0o755); err != nil {
		return nil, err
	}
	// The provider is the clone's; what Prepare finds there it leaves.
	if err := toolenv.TerraformConfig(filepath.Join(p.Lab(), "terraform.rc"), root); err != nil {
		return nil, err
	}
	if err := toolenv.Prepare(p, inst); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if a.server, err = moto.Start(ctx, inst, port, dir, filepath.Join(dir, "moto.log")); err != nil {
		return nil, err
	}
	if a.env, err = toolenv.Environment(p, a.server.URL()); err != nil {
		return nil, err
	}
	a.env = append(a.env, toolenv.Variable{Name: "TF_DATA_DIR", Value: filepath.Join(dir, "terraform")})
	return a, nil
}

// Env returns base with what the tools need to speak to this API, and without what would take them to another.
func (a *API) Env(base []string) []string {
	var env []string
	for _, v := range base {
		name, _, _ := strings.Cut(v, "=")
		if !strings.HasPrefix(name, "AWS_") && !strings.HasPrefix(name, "TF_") {
			env = append(env, v)
		}
	}
	for _, v := range a.env {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// Close ends the API and removes its folder.
func (a *API) Close() {
	if a.server != nil {
		a.server.Stop()
	}
	_ = os.RemoveAll(a.Dir) // a temporary folder: the system's to sweep if it cannot be removed
}

// freePort finds one that nobody listens on; moto says so if somebody is quicker.
func freePort() (int, error) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
