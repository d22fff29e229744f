package moto

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func script(t *testing.T, name, content string) string {
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o755))
	return path
}

func TestTheInterpreterOfAScript(t *testing.T) {
	python, err := interpreter(t.Context(), script(t, "moto_server", "#!/opt/venv/bin/python3\nimport moto\n"))
	require.NoError(t, err)
	require.Equal(t, "/opt/venv/bin/python3", python)

	sh, err := exec.LookPath("python3")
	require.NoError(t, err)
	python, err = interpreter(t.Context(), script(t, "moto_server", "#!/usr/bin/env python3\n"))
	require.NoError(t, err)
	require.Equal(t, sh, python)

	_, err = interpreter(t.Context(), script(t, "moto_server", ""))
	require.ErrorContains(t, err, "is empty")
}

// pyenv's shim is a shell script; `pyenv which` tells the real one.
func TestTheInterpreterBehindAShim(t *testing.T) {
	bin := t.TempDir()
	real := script(t, "moto_server", "#!/opt/pyenv/versions/3.11/bin/python\n")
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pyenv"), []byte("#!/bin/sh\necho "+real+"\n"), 0o755))
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	python, err := interpreter(t.Context(), script(t, "moto_server", "#!/usr/bin/env bash\nexec pyenv exec moto_server\n"))
	require.NoError(t, err)
	require.Equal(t, "/opt/pyenv/versions/3.11/bin/python", python)
}

func TestAMissingMotoIsNamedWithItsRemedy(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Find(t.Context())
	require.EqualError(t, err, "moto_server is not on PATH; install it: "+Install)
}

func TestAPortInUseIsNamedWithItsHolder(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	err = CheckPort(port)
	require.ErrorContains(t, err, fmt.Sprintf("port %d of 127.0.0.1 is in use by", port))
	require.ErrorContains(t, err, fmt.Sprintf("pid %d", os.Getpid()))
	l.Close()
	require.NoError(t, CheckPort(port))
}

func TestTheImagesAreThoseOfDebian(t *testing.T) {
	var images []struct {
		Owner string `json:"owner_id"`
		Name  string `json:"name"`
	}
	require.NoError(t, json.Unmarshal(amis, &images))
	require.Len(t, images, 2)
	for i, arch := range []string{"amd64", "arm64"} {
		require.Equal(t, "136693071363", images[i].Owner)
		require.Regexp(t, `^debian-12-`+arch+`-\d{8}-\d+$`, images[i].Name)
	}
}
