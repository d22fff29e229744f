package host

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
)

func requireRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("this needs root: run the tests with sudo")
	}
}

func TestTheDiskBeginsWithTheHostsOwnFiles(t *testing.T) {
	requireRoot(t)
	h := &Host{
		Instance: "i-1", Hostname: "ip-10-80-1-4", Domain: "eu-central-1.compute.internal", Address: "10.80.1.4",
		Dir: t.TempDir(), PublicKeys: []string{"ssh-ed25519 AAAA me"}, UserData: []byte("#!/bin/sh\n"),
	}
	require.NoError(t, h.makeDisk())
	read := func(path string) string {
		content, err := os.ReadFile(filepath.Join(h.Dir, "upper", path))
		require.NoError(t, err)
		return string(content)
	}
	require.Equal(t, "ip-10-80-1-4\n", read("etc/hostname"))
	require.Contains(t, read("etc/hosts"), "10.80.1.4 ip-10-80-1-4.eu-central-1.compute.internal ip-10-80-1-4\n")
	require.Len(t, read("etc/machine-id"), 33)
	require.Equal(t, "#!/bin/sh\n", read("var/lib/cloud/instance/user-data.txt"))
	require.Equal(t, "ssh-ed25519 AAAA me\n", read("home/admin/.ssh/authorized_keys"))
	signer, err := ssh.ParsePrivateKey([]byte(read("etc/ssh/ssh_host_ed25519_key")))
	require.NoError(t, err)
	require.Equal(t, string(ssh.MarshalAuthorizedKey(signer.PublicKey())), read("etc/ssh/ssh_host_ed25519_key.pub"))

	// sshd refuses keys that others could have written.
	for path, want := range map[string]struct {
		mode os.FileMode
		uid  uint32
	}{
		".":                               {0o755, 0},
		"etc/ssh/ssh_host_ed25519_key":    {0o600, 0},
		"home":                            {0o755, 0},
		"home/admin":                      {0o755, adminUID},
		"home/admin/.ssh":                 {0o700, adminUID},
		"home/admin/.ssh/authorized_keys": {0o600, adminUID},
	} {
		info, err := os.Stat(filepath.Join(h.Dir, "upper", path))
		require.NoError(t, err)
		require.Equal(t, want.mode, info.Mode().Perm(), path)
		require.Equal(t, want.uid, info.Sys().(*syscall.Stat_t).Uid, path)
	}
	stamp, err := os.Stat(filepath.Join(h.Dir, "upper/var/lib/apt/periodic/update-success-stamp"))
	require.NoError(t, err)
	require.True(t, stamp.ModTime().After(time.Now()))
}

func TestAReboot(t *testing.T) {
	requireRoot(t)
	h := &Host{Instance: "i-1", Hostname: "h", Domain: "d", Dir: t.TempDir()}
	require.NoError(t, h.makeDisk())
	written := filepath.Join(h.Dir, "upper", "etc", "written")
	require.NoError(t, os.WriteFile(written, nil, 0o644))
	mark := filepath.Join(h.Dir, "work", "work", "incompat", "volatile")
	require.NoError(t, os.MkdirAll(mark, 0o755))
	require.NoError(t, h.makeDisk())
	require.FileExists(t, written, "what the host wrote stays")
	require.NoDirExists(t, mark, "the mark would refuse the mount")
}

func TestTwoHostsDiffer(t *testing.T) {
	requireRoot(t)
	id := func(instance string) (machine, key string) {
		h := &Host{Instance: instance, Hostname: "h", Domain: "d", Dir: t.TempDir()}
		require.NoError(t, h.makeDisk())
		m, err := os.ReadFile(filepath.Join(h.Dir, "upper/etc/machine-id"))
		require.NoError(t, err)
		k, err := os.ReadFile(filepath.Join(h.Dir, "upper/etc/ssh/ssh_host_ed25519_key.pub"))
		require.NoError(t, err)
		return string(m), string(k)
	}
	m1, k1 := id("i-1")
	m2, k2 := id("i-2")
	m3, _ := id("i-1")
	require.NotEqual(t, m1, m2)
	require.NotEqual(t, k1, k2)
	require.Equal(t, m1, m3)
}

func TestAControlGroupIsKilledAndRemoved(t *testing.T) {
	requireRoot(t)
	base, err := CGroupBase()
	require.NoError(t, err)
	dir := filepath.Join(base, "wsfleet-hosttest", "i-1")
	group, err := makeCGroup(dir)
	require.NoError(t, err)
	defer group.Close()
	cmd := exec.Command("sh", "-c", "sleep 60 & sleep 60 & wait")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(group.Fd())}
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return len(Processes(filepath.Dir(dir))) == 3 }, 5*time.Second, 10*time.Millisecond)
	usage := Use(dir)
	require.Equal(t, 3, usage.Processes)
	require.Greater(t, usage.Memory, int64(100<<10))
	require.NotEmpty(t, CGroupsLeft(dir))

	go func() { _ = cmd.Wait() }()
	SweepCGroup(filepath.Dir(dir))
	require.Empty(t, Processes(dir))
	require.Empty(t, CGroupsLeft(filepath.Dir(dir)))
}

func TestOnlyAnSSHServerCounts(t *testing.T) {
	for greeting, want := range map[string]bool{
		"SSH-2.0-OpenSSH_9.2p1 Debian\r\n": true,
		"220 mail\r\n":                     false,
		"":                                 false, // listens, but says nothing and hangs up
	} {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		require.NoError(t, err)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte(greeting))
			c.Close()
		}()
		require.Equal(t, want, greets(t.Context(), l.Addr().String()), "%q", greeting)
		l.Close()
		require.False(t, greets(t.Context(), l.Addr().String()), "nobody listens")
	}
}

func TestTheShimNamesWhatItLacks(t *testing.T) {
	require.ErrorContains(t, Shim([]string{"dir"}), "want DIR IMAGE NAMESPACE COMMAND")
}
