package network

import (
	"errors"
	"os"
	"strings"

	"github.com/vishvananda/netlink"
)

// Leftovers lists the namespaces and links that exist under the prefix: what a lab that was killed has left.
func Leftovers(prefix string) []string {
	var found []string
	for _, name := range namespaces(prefix) {
		found = append(found, "network namespace "+name)
	}
	links, err := netlink.LinkList()
	if err != nil {
		return append(found, "links: "+err.Error())
	}
	for _, l := range links {
		if strings.HasPrefix(l.Attrs().Name, prefix+"-") {
			found = append(found, "link "+l.Attrs().Name)
		}
	}
	return found
}

// Sweep removes what Leftovers lists.
func Sweep(prefix string) error {
	var errs []error
	for _, name := range namespaces(prefix) {
		errs = append(errs, deleteNamespace(name))
	}
	links, err := netlink.LinkList()
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	for _, l := range links {
		if !strings.HasPrefix(l.Attrs().Name, prefix+"-") {
			continue
		}
		// The link may go with the switch's namespace in this very moment.
		if err := netlink.LinkDel(l); err != nil && linkExists(l.Attrs().Name) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func namespaces(prefix string) []string {
	entries, err := os.ReadDir(namespaceDir)
	if err != nil {
		return nil // no namespace was ever named
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix+"-") {
			names = append(names, e.Name())
		}
	}
	return names
}

func linkExists(name string) bool {
	_, err := netlink.LinkByName(name)
	return err == nil
}
