package network

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/stretchr/testify/require"

	metadata "github.com/wsfleet/wsfleet/test/lab/imds"
)

// prefix and range are the test's own, so that a lab that is up never notices.
const prefix = "xnet"

func testVPC() VPC { return VPC{ID: "vpc-0000nett", CIDR: netip.MustParsePrefix("10.93.0.0/16")} }

func testHost(v VPC, id, address, mac string) Host {
	hw, _ := net.ParseMAC(mac)
	return Host{Instance: id, Namespace: prefix + "-" + id, VPC: v, MAC: hw, Address: netip.MustParseAddr(address)}
}

func requireRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root: run the tests with sudo")
	}
	require.NoError(t, Sweep(prefix), "what an interrupted test left")
}

func newTestSwitch(t *testing.T) *Switch {
	requireRoot(t)
	s, err := NewSwitch(prefix+"-switch", prefix)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.Close())
		require.NoError(t, Sweep(prefix))
		requireNothingLeft(t)
	})
	return s
}

func requireNothingLeft(t *testing.T) {
	require.Eventually(t, func() bool { return len(Leftovers(prefix)) == 0 }, 5*time.Second, 20*time.Millisecond, "left: %v", Leftovers(prefix))
}

// greet answers every connection to the address inside the namespace with the caller's address.
func greet(t *testing.T, namespace, address string) {
	l, err := Listen(namespace, address)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, c.RemoteAddr().(*net.TCPAddr).IP.String()+"\n")
			c.Close()
		}
	}()
}

func readLine(t *testing.T, c net.Conn, err error) string {
	require.NoError(t, err)
	defer c.Close()
	line, err := bufio.NewReader(c).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

func TestHostsReachEachOtherAndTheMachineReachesThem(t *testing.T) {
	s := newTestSwitch(t)
	v := testVPC()
	a := testHost(v, "i-00000000000000a", "10.93.1.4", "02:00:00:00:93:04")
	b := testHost(v, "i-00000000000000b", "10.93.200.5", "02:00:00:00:93:05") // another subnet of the VPC
	b.Secondary = []netip.Addr{netip.MustParseAddr("10.93.200.77")}
	for _, h := range []Host{a, b} {
		require.NoError(t, s.AddHost(h))
	}
	greet(t, b.Namespace, "10.93.200.5:7000")
	greet(t, b.Namespace, "10.93.200.77:7000")

	c, err := Dial(t.Context(), a.Namespace, "10.93.200.5:7000")
	require.Equal(t, "10.93.1.4", readLine(t, c, err), "host to host")
	c, err = net.Dial("tcp4", "10.93.200.77:7000")
	require.Equal(t, v.Machine().String(), readLine(t, c, err), "machine to a secondary address")

	// There is no way out, and that is told at once.
	start := time.Now()
	_, err = Dial(t.Context(), a.Namespace, "192.0.2.1:80")
	require.True(t, errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH), "%v", err)
	require.Less(t, time.Since(start), 3*time.Second)

	require.NoError(t, ChangeSecondary(b.Namespace, b.Secondary, []netip.Addr{netip.MustParseAddr("10.93.200.78")}))
	greet(t, b.Namespace, "10.93.200.78:7000")
	c, err = net.Dial("tcp4", "10.93.200.78:7000")
	readLine(t, c, err)
	_, err = Listen(b.Namespace, "10.93.200.77:7001")
	require.ErrorIs(t, err, syscall.EADDRNOTAVAIL)

	// A host that goes leaves the other one be.
	require.NoError(t, s.RemoveHost(a))
	require.NotContains(t, Leftovers(prefix), "network namespace "+a.Namespace)
	c, err = net.Dial("tcp4", "10.93.200.5:7000")
	readLine(t, c, err)
	require.NoError(t, s.RemoveHost(b))
	require.NoError(t, s.RemoveVPC(v.ID))
	require.Equal(t, []string{"network namespace " + prefix + "-switch"}, Leftovers(prefix))
}

func TestTheInterfaceIsThatOfTheInstance(t *testing.T) {
	s := newTestSwitch(t)
	h := testHost(testVPC(), "i-00000000000000c", "10.93.1.6", "02:00:00:00:93:06")
	require.NoError(t, s.AddHost(h))
	out, err := exec.Command("nsenter", "--net="+NamespacePath(h.Namespace), "ip", "addr", "show", Interface).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "link/ether 02:00:00:00:93:06")
	require.Contains(t, string(out), "inet 10.93.1.6/16")
	require.Contains(t, string(out), "mtu 9001")
	out, err = exec.Command("nsenter", "--net="+NamespacePath(h.Namespace), "ip", "route").CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "default via 10.93.0.1 dev "+Interface)
}

func TestTwoVPCsHaveNoWayToEachOther(t *testing.T) {
	s := newTestSwitch(t)
	one, other := testVPC(), VPC{ID: "vpc-0000netu", CIDR: netip.MustParsePrefix("10.94.0.0/16")}
	a := testHost(one, "i-00000000000000d", "10.93.1.4", "02:00:00:00:93:04")
	b := testHost(other, "i-00000000000000e", "10.94.1.4", "02:00:00:00:94:04")
	require.NoError(t, s.AddHost(a))
	require.NoError(t, s.AddHost(b))
	greet(t, b.Namespace, "10.94.1.4:7000")
	_, err := Dial(t.Context(), a.Namespace, "10.94.1.4:7000")
	require.Error(t, err)
	c, err := net.Dial("tcp4", "10.94.1.4:7000")
	require.Equal(t, "10.94.0.3", readLine(t, c, err))
}

func TestARangeThatTheMachineUsesIsRefused(t *testing.T) {
	s := newTestSwitch(t)
	require.NoError(t, s.AddVPC(testVPC()))
	err := s.AddVPC(VPC{ID: "vpc-0000netv", CIDR: netip.MustParsePrefix("10.93.128.0/20")})
	require.ErrorContains(t, err, "10.93.128.0/20, which overlaps the route to 10.93.0.0/16")
}

func TestSweepRemovesWhatAKilledLabLeft(t *testing.T) {
	requireRoot(t)
	s, err := NewSwitch(prefix+"-switch", prefix)
	require.NoError(t, err)
	require.NoError(t, s.AddHost(testHost(testVPC(), "i-00000000000000f", "10.93.1.4", "02:00:00:00:93:04")))
	require.Len(t, Leftovers(prefix), 3, "switch, host, link of the machine: %v", Leftovers(prefix))
	// A process that is killed leaves its files to the kernel.
	s.inside.Close()
	s.root.Close()
	require.NoError(t, s.ns.Close())
	require.NoError(t, Sweep(prefix))
	requireNothingLeft(t)
}

func TestTheSDKReadsTheMetadataInsideTheNamespace(t *testing.T) {
	s := newTestSwitch(t)
	h := testHost(testVPC(), "i-000000000000001", "10.93.1.4", "02:00:00:00:93:04")
	require.NoError(t, s.AddHost(h))
	l, err := Listen(h.Namespace, LinkLocal.String()+":80")
	require.NoError(t, err)
	server := &http.Server{Handler: metadata.New(metadata.Instance{
		ID: h.Instance, Region: "eu-central-1", Zone: "eu-central-1a", Address: h.Address, MAC: h.MAC.String(),
		Role: "monitoring", UserData: []byte("hello"),
	})}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })

	client := imds.New(imds.Options{
		EnableFallback: 2, // aws.FalseTernary: no version 1
		HTTPClient: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) { return Dial(ctx, h.Namespace, address) },
		}},
	})
	doc, err := client.GetInstanceIdentityDocument(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, h.Instance, doc.InstanceID)
	require.Equal(t, "10.93.1.4", doc.PrivateIP)
	region, err := client.GetRegion(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, "eu-central-1", region.Region)
	data, err := client.GetUserData(t.Context(), nil)
	require.NoError(t, err)
	content, err := io.ReadAll(data.Content)
	require.NoError(t, err)
	require.Equal(t, "hello", string(content))
}
