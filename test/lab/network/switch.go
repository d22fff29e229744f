package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// mtu is that of a VPC.
const mtu = 9001

// AWS keeps the first addresses of a subnet for itself: the second one of a VPC is its router. The fourth is "for future use":
// there this machine sits.
const (
	routerOffset  = 1
	machineOffset = 3
)

// VPC is a network of hosts.
type VPC struct {
	ID   string
	CIDR netip.Prefix
}

// Router is the VPC's default route.
func (v VPC) Router() netip.Addr { return offset(v.CIDR.Masked().Addr(), routerOffset) }

// Machine is the address that this machine has in the VPC.
func (v VPC) Machine() netip.Addr { return offset(v.CIDR.Masked().Addr(), machineOffset) }

func offset(a netip.Addr, n int) netip.Addr {
	for range n {
		a = a.Next()
	}
	return a
}

// Switch is the namespace with the bridges. It is apart from the machine's own namespace so that the machine's firewall and
// bridge filters never see the traffic between hosts.
type Switch struct {
	prefix string
	name   string
	ns     netns.NsHandle
	inside *netlink.Handle // acts in the switch namespace
	root   *netlink.Handle // acts in the machine's namespace

	mu   sync.Mutex      // guards the following
	vpcs map[string]bool // those that have a bridge
}

// NewSwitch makes the switch namespace with that name. The prefix begins the names of all links.
func NewSwitch(name, prefix string) (*Switch, error) {
	ns, err := createNamespace(name)
	if err != nil {
		return nil, err
	}
	s := &Switch{prefix: prefix, name: name, ns: ns, vpcs: map[string]bool{}}
	if s.inside, err = netlink.NewHandleAt(ns); err != nil {
		return nil, errors.Join(fmt.Errorf("netlink in %s: %w", name, err), s.Close())
	}
	if s.root, err = netlink.NewHandle(); err != nil {
		return nil, errors.Join(fmt.Errorf("netlink: %w", err), s.Close())
	}
	err = inNamespace(name, func() error {
		return errors.Join(
			// Forwarding makes the kernel answer "unreachable" at once where a packet has no way out; see rejectForwarding.
			setSysctl("net/ipv4/ip_forward", "1"),
			disableIPv6("all"), disableIPv6("default"),
			// Where the machine has bridge filters, every packet would pass them, though this namespace has no rules.
			optionalSysctl("net/bridge/bridge-nf-call-iptables", "0"),
		)
	})
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// disableIPv6 is of the thread's namespace.
func disableIPv6(link string) error {
	return optionalSysctl("net/ipv6/conf/"+link+"/disable_ipv6", "1")
}

// optionalSysctl sets a parameter of the thread's namespace. A kernel without it is as good.
func optionalSysctl(key, value string) error {
	err := setSysctl(key, value)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// AddVPC makes the VPC's bridge with the router's address, and the veth by which this machine reaches its hosts.
// It does nothing if the VPC is there.
func (s *Switch) AddVPC(v VPC) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vpcs[v.ID] {
		return nil
	}
	if err := s.checkFree(v); err != nil {
		return err
	}
	bridge := &netlink.Bridge{LinkAttrs: attrs(s.bridgeName(v.ID))}
	steps := []func() error{
		func() error { return s.inside.LinkAdd(bridge) },
		func() error { return s.inside.AddrAdd(bridge, address(v.Router(), v.CIDR.Bits())) },
		func() error { return s.inside.LinkSetUp(bridge) },
		func() error { return s.rejectForwarding(bridge.Name) },
		func() error { return s.joinMachine(v, bridge) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return errors.Join(fmt.Errorf("network of VPC %s %s: %w", v.ID, v.CIDR, err), s.removeVPC(v.ID))
		}
	}
	s.vpcs[v.ID] = true
	return nil
}

// rejectForwarding answers what the router would have to forward with "network unreachable": no VPC has a way to another one or
// out, and whoever tries learns it at once instead of waiting for a time-out.
func (s *Switch) rejectForwarding(bridge string) error {
	rule := netlink.NewRule()
	rule.IifName = bridge
	rule.Priority = 100 // after the table of local addresses
	rule.Type = unix.RTN_UNREACHABLE
	rule.Family = unix.AF_INET
	return s.inside.RuleAdd(rule)
}

// joinMachine adds the veth between the machine and the bridge.
func (s *Switch) joinMachine(v VPC, bridge netlink.Link) error {
	name := s.machineLink(v.ID)
	if old, err := s.root.LinkByName(name); err == nil {
		if err := s.root.LinkDel(old); err != nil {
			return err
		}
	}
	link := &netlink.Veth{LinkAttrs: attrs(name), PeerName: name, PeerNamespace: netlink.NsFd(int(s.ns)), PeerMTU: mtu}
	if err := s.root.LinkAdd(link); err != nil {
		return err
	}
	if err := s.plug(name, bridge); err != nil {
		return err
	}
	if err := s.root.AddrAdd(link, address(v.Machine(), v.CIDR.Bits())); err != nil {
		return err
	}
	return s.root.LinkSetUp(link)
}

// plug puts the switch's end of a veth into the bridge.
func (s *Switch) plug(port string, bridge netlink.Link) error {
	link, err := s.inside.LinkByName(port)
	if err != nil {
		return err
	}
	if err := s.inside.LinkSetMaster(link, bridge); err != nil {
		return err
	}
	return s.inside.LinkSetUp(link)
}

// checkFree refuses a VPC whose addresses this machine already has a use for.
func (s *Switch) checkFree(v VPC) error {
	routes, err := s.root.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return err
	}
	for _, r := range routes {
		if r.Dst == nil {
			continue
		}
		ip, ok := netip.AddrFromSlice(r.Dst.IP.To4())
		bits, _ := r.Dst.Mask.Size()
		if !ok || bits == 0 || !netip.PrefixFrom(ip, bits).Overlaps(v.CIDR) {
			continue
		}
		link, err := s.root.LinkByIndex(r.LinkIndex)
		if err != nil || link.Attrs().Name == s.machineLink(v.ID) {
			continue
		}
		return fmt.Errorf("VPC %s has the range %s, which overlaps the route to %s by %s on this machine", v.ID, v.CIDR, r.Dst, link.Attrs().Name)
	}
	return nil
}

func (s *Switch) removeVPC(id string) error {
	var errs []error
	if l, err := s.root.LinkByName(s.machineLink(id)); err == nil {
		errs = append(errs, s.root.LinkDel(l))
	}
	if l, err := s.inside.LinkByName(s.bridgeName(id)); err == nil {
		errs = append(errs, s.inside.LinkDel(l))
	}
	delete(s.vpcs, id)
	return errors.Join(errs...)
}

// RemoveVPC takes away the network of a VPC that has no hosts any more.
func (s *Switch) RemoveVPC(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.removeVPC(id)
}

// VPCs lists the VPCs that have a network.
func (s *Switch) VPCs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for id := range s.vpcs {
		ids = append(ids, id)
	}
	return ids
}

// Close removes the networks of all VPCs and the switch.
func (s *Switch) Close() error {
	var errs []error
	for _, id := range s.VPCs() {
		errs = append(errs, s.RemoveVPC(id))
	}
	for _, h := range []*netlink.Handle{s.inside, s.root} {
		if h != nil {
			h.Close()
		}
	}
	return errors.Join(append(errs, s.ns.Close(), deleteNamespace(s.name))...)
}

func (s *Switch) bridgeName(vpc string) string  { return "br-" + tail(vpc, 8) }
func (s *Switch) machineLink(vpc string) string { return s.prefix + "-" + tail(vpc, 8) }

// portName names the switch's end of a host's veth.
func portName(instance string) string { return "h-" + tail(instance, 12) }

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func attrs(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	a.MTU = mtu
	return a
}

func address(a netip.Addr, bits int) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(bits, a.BitLen())}}
}
