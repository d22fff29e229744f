package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
)

// Interface is the name of a host's network interface, as on an instance of AWS' Nitro system.
const Interface = "ens5"

// LinkLocal is where a host finds the instance metadata service.
var LinkLocal = netip.MustParseAddr("169.254.169.254")

// Host is what the network must know of a host.
type Host struct {
	Instance  string
	Namespace string // name of its network namespace
	VPC       VPC
	MAC       net.HardwareAddr
	Address   netip.Addr
	Secondary []netip.Addr
}

// AddHost makes the host's namespace and joins it to its VPC. The addresses are on-link for the whole VPC, so traffic
// between hosts is switched and never routed.
func (s *Switch) AddHost(h Host) error {
	if err := s.AddVPC(h.VPC); err != nil {
		return err
	}
	if err := s.addHost(h); err != nil {
		return errors.Join(fmt.Errorf("network of %s: %w", h.Instance, err), s.RemoveHost(h))
	}
	return nil
}

func (s *Switch) addHost(h Host) error {
	ns, err := createNamespace(h.Namespace)
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := inNamespace(h.Namespace, func() error { return disableIPv6("default") }); err != nil {
		return err
	}
	veth := &netlink.Veth{
		LinkAttrs:        attrs(portName(h.Instance)),
		PeerName:         Interface,
		PeerNamespace:    netlink.NsFd(int(ns)),
		PeerHardwareAddr: h.MAC,
		PeerMTU:          mtu,
	}
	if err := s.inside.LinkAdd(veth); err != nil {
		return err
	}
	bridge, err := s.inside.LinkByName(s.bridgeName(h.VPC.ID))
	if err != nil {
		return err
	}
	if err := s.plug(veth.Name, bridge); err != nil {
		return err
	}
	inside, err := netlink.NewHandleAt(ns)
	if err != nil {
		return err
	}
	defer inside.Close()
	return configure(inside, h)
}

// configure gives the host its addresses and its way out. ens5 is its only link but lo.
func configure(inside *netlink.Handle, h Host) error {
	lo, err := inside.LinkByName("lo")
	if err != nil {
		return err
	}
	eth, err := inside.LinkByName(Interface)
	if err != nil {
		return err
	}
	for _, link := range []netlink.Link{lo, eth} {
		if err := inside.LinkSetUp(link); err != nil {
			return err
		}
	}
	if err := inside.AddrAdd(lo, address(LinkLocal, 32)); err != nil {
		return err
	}
	if err := inside.AddrAdd(eth, address(h.Address, h.VPC.CIDR.Bits())); err != nil {
		return err
	}
	for _, a := range h.Secondary {
		if err := inside.AddrAdd(eth, address(a, 32)); err != nil {
			return err
		}
	}
	return inside.RouteAdd(&netlink.Route{LinkIndex: eth.Attrs().Index, Gw: h.VPC.Router().AsSlice(), Src: h.Address.AsSlice()})
}

// ChangeSecondary follows a change of the host's secondary addresses in EC2. Addresses that the host gave itself stay.
func ChangeSecondary(namespace string, before, after []netip.Addr) error {
	return inNamespaceLink(namespace, func(inside *netlink.Handle, eth netlink.Link) error {
		var errs []error
		for _, a := range before {
			if !slices.Contains(after, a) {
				errs = append(errs, inside.AddrDel(eth, address(a, 32)))
			}
		}
		for _, a := range after {
			if !slices.Contains(before, a) {
				errs = append(errs, inside.AddrAdd(eth, address(a, 32)))
			}
		}
		return errors.Join(errs...)
	})
}

// RemoveHost takes away the host's link and its namespace's name.
func (s *Switch) RemoveHost(h Host) error {
	var errs []error
	if l, err := s.inside.LinkByName(portName(h.Instance)); err == nil {
		errs = append(errs, s.inside.LinkDel(l))
	}
	return errors.Join(append(errs, deleteNamespace(h.Namespace))...)
}
