package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/test/lab/daemon"
	"github.com/wsfleet/wsfleet/test/lab/ec2sync"
	"github.com/wsfleet/wsfleet/test/lab/host"
	"github.com/wsfleet/wsfleet/test/lab/network"
	"github.com/wsfleet/wsfleet/test/lab/place"
	"github.com/wsfleet/wsfleet/test/lab/proc"
	"github.com/wsfleet/wsfleet/test/lab/sweep"
	"github.com/wsfleet/wsfleet/test/tcptest"
)

// testLab is a real lab of the test's own: its name, port, range of addresses and project folder are no other lab's.
type testLab struct {
	t    *testing.T
	exe  string
	port int
	place.Place
	ec2    *ec2.Client
	subnet string
}

func newTestLab(t *testing.T) *testLab {
	if testing.Short() {
		t.Skip("boots hosts; not with -short")
	}
	if os.Geteuid() != 0 {
		t.Skip("the lab needs root: run the tests with sudo")
	}
	p, err := place.New("e2e", t.TempDir())
	require.NoError(t, err)
	exe := filepath.Join(t.TempDir(), "lab")
	out, err := exec.Command("go", "build", "-o", exe, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	l := &testLab{t: t, exe: exe, port: tcptest.FreePort(t), Place: p}
	l.run("down") // what an interrupted test left
	t.Cleanup(func() { l.run("down") })
	return l
}

func (l *testLab) command(args ...string) *exec.Cmd {
	return exec.Command(l.exe, append([]string{"-name", l.Name, "-project", l.Project, "-port", fmt.Sprint(l.port)}, args...)...)
}

// run runs a command of the lab that must succeed and returns what it prints.
func (l *testLab) run(args ...string) string {
	l.t.Helper()
	out, err := l.command(args...).CombinedOutput()
	require.NoError(l.t, err, "lab %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

// fails runs a command of the lab that must fail and returns what it prints.
func (l *testLab) fails(args ...string) string {
	l.t.Helper()
	out, err := l.command(args...).CombinedOutput()
	require.Error(l.t, err, "lab %v: %s", args, out)
	return strings.TrimSpace(string(out))
}

func (l *testLab) report() daemon.Report {
	l.t.Helper()
	var r daemon.Report
	require.NoError(l.t, json.Unmarshal([]byte(l.run("status", "-json")), &r))
	return r
}

// up starts the lab and makes a VPC with a subnet and a key pair in it, as Terraform would.
func (l *testLab) up() {
	l.t.Helper()
	require.Contains(l.t, l.run("up"), "lab: is up")
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", l.port)
	l.ec2 = ec2.New(ec2.Options{
		Region: ec2sync.Region, BaseEndpoint: &endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(ec2sync.AccessKey, ec2sync.SecretKey, ""),
	})
	ctx := l.t.Context()
	public, err := os.ReadFile(l.Key() + ".pub")
	require.NoError(l.t, err)
	_, err = l.ec2.ImportKeyPair(ctx, &ec2.ImportKeyPairInput{KeyName: aws.String("lab"), PublicKeyMaterial: public})
	require.NoError(l.t, err)
	vpc, err := l.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.92.0.0/16")})
	require.NoError(l.t, err)
	subnet, err := l.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.Vpc.VpcId, CidrBlock: aws.String("10.92.1.0/24")})
	require.NoError(l.t, err)
	l.subnet = *subnet.Subnet.SubnetId
}

func (l *testLab) launch(n int32, userData string) {
	l.t.Helper()
	images, err := l.ec2.DescribeImages(l.t.Context(), &ec2.DescribeImagesInput{
		Owners:  []string{"136693071363"},
		Filters: []types.Filter{{Name: aws.String("name"), Values: []string{"debian-12-amd64-*"}}},
	})
	require.NoError(l.t, err)
	require.Len(l.t, images.Images, 1)
	_, err = l.ec2.RunInstances(l.t.Context(), &ec2.RunInstancesInput{
		ImageId: images.Images[0].ImageId, MinCount: &n, MaxCount: &n, SubnetId: &l.subnet, KeyName: aws.String("lab"),
		UserData: aws.String(base64.StdEncoding.EncodeToString([]byte(userData))),
		TagSpecifications: []types.TagSpecification{{
			ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("Role"), Value: aws.String("node")}},
		}},
	})
	require.NoError(l.t, err)
	require.Contains(l.t, l.run("wait", "-n", fmt.Sprint(n), "-timeout", "2m"), fmt.Sprintf("%d answer on SSH", n))
}

// requireNothingLeft looks for everything a lab makes.
func (l *testLab) requireNothingLeft(groups ...string) {
	l.t.Helper()
	require.Empty(l.t, sweep.Left(l.Place, groups))
	for _, dir := range []string{l.Run, l.State, l.Lab()} {
		require.NoDirExists(l.t, dir)
	}
	for _, path := range []string{"/proc/self/mounts", "/proc/net/dev"} {
		table, err := os.ReadFile(path)
		require.NoError(l.t, err)
		require.NotContains(l.t, string(table), l.Prefix+"-")
	}
}

func (l *testLab) record() daemon.Record {
	l.t.Helper()
	r, ok, err := daemon.Find(l.Place)
	require.NoError(l.t, err)
	require.True(l.t, ok)
	return r
}

func TestAnInstanceIsAHost(t *testing.T) {
	l := newTestLab(t)
	l.up()
	require.Contains(t, l.run("up"), "is up already")
	l.launch(2, "#!/bin/bash\necho \"$(id -un) on $(hostname)\" >/var/tmp/user-data-ran\n")

	report := l.report()
	require.Len(t, report.Hosts, 2)
	first, second := report.Hosts[0], report.Hosts[1]
	require.Equal(t, ec2sync.Running, first.State)
	require.Greater(t, first.Processes, 2)
	require.Less(t, first.Memory, int64(50<<20), "a host must be lean")
	name := "ip-" + strings.ReplaceAll(first.Address.String(), ".", "-")
	require.Equal(t, name, l.run("ssh", "node-0", "hostname"))
	require.Equal(t, name+".eu-central-1.compute.internal", l.run("ssh", first.Instance, "hostname", "-f"))
	require.Eventually(t, func() bool {
		out, err := l.command("ssh", "node-0", "cat", "/var/tmp/user-data-ran").Output()
		return err == nil && string(out) == "root on "+name+"\n"
	}, 10*time.Second, 200*time.Millisecond, "user data must have run as root")
	require.Equal(t, "running", l.run("ssh", "node-0", "systemctl", "is-system-running", "--wait"))
	require.Equal(t, "root", l.run("ssh", "node-0", "sudo", "id", "-un"))

	// What a program inside finds at the link-local address.
	require.Equal(t, first.Instance, l.run("ssh", "node-0", `t=$(curl -sSX PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" http://169.254.169.254/latest/api/token)
		curl -sS -H "X-aws-ec2-metadata-token: $t" http://169.254.169.254/latest/meta-data/instance-id`))
	// moto goes by the service in the signature, and does not check it.
	require.Contains(t, l.run("ssh", "node-0", `curl -sS -H "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0" \
		-d "Action=DescribeInstances&Version=2016-11-15" http://169.254.169.254:5000/`), first.Instance)
	require.Contains(t, l.run("ssh", "node-0", "ping", "-c1", "-W2", second.Address.String()), "1 received")
	// Roles install packages that are there already; apt must not want the network.
	require.Equal(t, "haproxy", l.run("ssh", "node-0", "python3", "-c", `'import apt; print(apt.Cache()["haproxy"].installed.package.name)'`))
	require.Equal(t, "1", l.run("ssh", "node-0", "sudo", "sh", "-c", "'sysctl -qw net.ipv4.tcp_tw_reuse=1 && sysctl -n net.ipv4.tcp_tw_reuse'"))
	require.Contains(t, l.fails("ssh", "node-7"), `no host "node-7"`)

	t.Run("a reboot keeps the disk", func(t *testing.T) {
		before := l.run("ssh", "node-1", "cat", "/proc/sys/kernel/random/boot_id")
		l.run("ssh", "node-1", "sudo touch /etc/kept; sync")
		_ = l.command("ssh", "node-1", "sudo", "systemctl", "reboot").Run() // the connection ends with the host
		require.Eventually(t, func() bool {
			out, err := l.command("ssh", "node-1", "test -e /etc/kept && cat /proc/sys/kernel/random/boot_id").Output()
			return err == nil && strings.TrimSpace(string(out)) != before
		}, 30*time.Second, 300*time.Millisecond)
	})
	t.Run("a terminated instance leaves nothing", func(t *testing.T) {
		group := filepath.Join(l.record().CGroup, second.Instance)
		require.NotEmpty(t, host.Processes(group))
		_, err := l.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{second.Instance}})
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(l.report().Hosts) == 1 }, 10*time.Second, 200*time.Millisecond)
		require.NoFileExists(t, network.NamespacePath(l.Namespace(second.Instance)))
		require.NoDirExists(t, l.Host(second.Instance))
		require.Empty(t, host.CGroupsLeft(group))
		require.Equal(t, name, l.run("ssh", "node-0", "hostname"), "the other host must not notice")
	})
	t.Run("a host that shuts itself down is reported", func(t *testing.T) {
		_ = l.command("ssh", "node-0", "sudo", "systemctl", "poweroff").Run()
		require.Eventually(t, func() bool { return l.report().Hosts[0].State == ec2sync.Dead }, 20*time.Second, 200*time.Millisecond)
		require.Contains(t, l.run("status"), "the host was shut down from inside")
		require.Contains(t, l.fails("wait", "-n", "1", "-timeout", "5s"), "is dead: the host was shut down from inside")
	})

	group := l.record().CGroup
	require.Contains(t, l.run("down"), "nothing is left")
	l.requireNothingLeft(group)
	require.Contains(t, l.run("down"), "nothing is left", "down twice is no error")
	require.Contains(t, l.fails("status"), "the lab is not up")
}

func TestAKilledDaemonTakesItsHostsAlong(t *testing.T) {
	l := newTestLab(t)
	l.up()
	l.launch(1, "")
	record := l.record()
	moto, err := proc.Of(l.report().MotoPID)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(record.Daemon.PID, syscall.SIGKILL))
	require.Eventually(t, func() bool {
		return len(host.Processes(record.CGroup)) == 0 && !moto.Alive()
	}, 10*time.Second, 50*time.Millisecond, "hosts and moto must die with the daemon")
	require.NotEmpty(t, network.Leftovers(l.Prefix), "what is left is for down")
	require.Contains(t, l.fails("status"), "the lab is not up")
	require.Contains(t, l.run("up"), "is up", "up cleans up first")
	require.Len(t, network.Leftovers(l.Prefix), 1, "only the new switch")

	require.NoError(t, syscall.Kill(l.record().Daemon.PID, syscall.SIGKILL))
	l.run("down")
	l.requireNothingLeft(record.CGroup)
}

func TestWithoutItsAPITheLabEnds(t *testing.T) {
	l := newTestLab(t)
	l.up()
	l.launch(1, "")
	record := l.record()
	require.NoError(t, syscall.Kill(l.report().MotoPID, syscall.SIGKILL))
	require.Eventually(t, func() bool { return !record.Daemon.Alive() }, 20*time.Second, 100*time.Millisecond)
	require.Contains(t, l.fails("status"), "the lab is not up: it ended: moto's server exited: signal: killed")
	require.Empty(t, network.Leftovers(l.Prefix))
	require.Empty(t, host.Processes(record.CGroup))
	l.run("down")
	l.requireNothingLeft(record.CGroup)
}

func TestUpThatIsInterruptedLeavesNothing(t *testing.T) {
	l := newTestLab(t)
	for _, after := range []time.Duration{20, 150, 400, 600} {
		up := l.command("up")
		require.NoError(t, up.Start())
		time.Sleep(after * time.Millisecond)
		require.NoError(t, up.Process.Signal(os.Interrupt))
		interrupted := up.Wait() != nil // it may just have been up in time
		if interrupted {
			l.requireNothingLeft()
		}
		l.run("down")
		l.requireNothingLeft()
	}
	// Killed, it cleans nothing up.
	up := l.command("up")
	require.NoError(t, up.Start())
	time.Sleep(400 * time.Millisecond)
	require.NoError(t, up.Process.Kill())
	_ = up.Wait()
	l.run("down")
	l.requireNothingLeft()
}

func TestOneLabAtATime(t *testing.T) {
	l := newTestLab(t)
	l.up()
	other := *l
	other.Project = t.TempDir()
	require.Contains(t, other.fails("up"), "a lab is up already, for "+l.Project)
	require.Contains(t, other.fails("down"), "belongs to "+l.Project)
	require.NoDirExists(t, filepath.Join(other.Project, ".lab"))

	// A port that is taken is named with its holder.
	third := *l
	var err error
	third.Place, err = place.New("e2f", t.TempDir())
	require.NoError(t, err)
	require.Contains(t, third.fails("up"), fmt.Sprintf("port %d of 127.0.0.1 is in use by python", l.port))
	third.requireNothingLeft()

	// A record alone, of a process that is gone, does not count as a lab.
	require.True(t, l.record().Daemon.Alive())
	require.False(t, (proc.Identity{PID: l.record().Daemon.PID, Start: 1}).Alive())
}
