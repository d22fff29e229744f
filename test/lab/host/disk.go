package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// adminUID is the user admin's, fixed when the image is built.
const adminUID = 1000

// file is a file that makes a copy of the image this host and no other.
type file struct {
	path    string
	mode    fs.FileMode
	uid     int
	content []byte
}

// makeDisk prepares the overlay: what the host writes goes to upper, which begins with the host's own files.
// On a reboot upper is there already and stays.
func (h *Host) makeDisk() error {
	// The mark that a volatile overlay leaves in its work directory would refuse the second mount.
	if err := os.RemoveAll(filepath.Join(h.Dir, "work")); err != nil {
		return err
	}
	for _, dir := range []string{"work", "root"} {
		if err := os.MkdirAll(filepath.Join(h.Dir, dir), 0o755); err != nil {
			return err
		}
	}
	upper := filepath.Join(h.Dir, "upper")
	if _, err := os.Stat(upper); err == nil {
		return nil
	}
	files, err := h.files()
	if err != nil {
		return err
	}
	tmp := upper + ".new"
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	for _, f := range files {
		if err := f.write(tmp); err != nil {
			return err
		}
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	return os.Rename(tmp, upper)
}

func (h *Host) files() ([]file, error) {
	private, public, err := hostKey()
	if err != nil {
		return nil, err
	}
	fqdn := h.Hostname + "." + h.Domain
	id := sha256.Sum256([]byte("wsfleet " + h.Instance))
	keys := []byte(strings.Join(h.PublicKeys, "\n") + "\n")
	files := []file{
		{"etc/hostname", 0o644, 0, []byte(h.Hostname + "\n")},
		{"etc/hosts", 0o644, 0, fmt.Appendf(nil, "127.0.0.1 localhost\n%s %s %s\n", h.Address, fqdn, h.Hostname)},
		{"etc/resolv.conf", 0o644, 0, fmt.Appendf(nil, "# The lab has no name server.\nsearch %s\n", h.Domain)},
		{"etc/machine-id", 0o444, 0, fmt.Appendf(nil, "%x\n", id[:16])},
		{"etc/ssh/ssh_host_ed25519_key", 0o600, 0, private},
		{"etc/ssh/ssh_host_ed25519_key.pub", 0o644, 0, public},
		{"home/admin/.ssh/authorized_keys", 0o600, adminUID, keys},
		// There is no package archive to update from: apt's lists count as fresh.
		{"var/lib/apt/periodic/update-success-stamp", 0o644, 0, nil},
	}
	if len(h.UserData) > 0 {
		files = append(files, file{"var/lib/cloud/instance/user-data.txt", 0o600, 0, h.UserData})
	}
	return files, nil
}

// write creates the file below root. Directories are root's, but for those in a home.
func (f file) write(root string) error {
	path := filepath.Join(root, f.path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, f.content, f.mode); err != nil {
		return err
	}
	if strings.HasSuffix(f.path, "-stamp") {
		far := time.Now().AddDate(10, 0, 0)
		return os.Chtimes(path, far, far)
	}
	if f.uid == 0 {
		return nil
	}
	if err := os.Chmod(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return errors.Join(
		os.Chown(path, f.uid, f.uid),
		os.Chown(filepath.Dir(path), f.uid, f.uid),
		os.Chown(filepath.Dir(filepath.Dir(path)), f.uid, f.uid),
	)
}

// hostKey makes the key by which sshd proves which host it is.
func hostKey() (private, public []byte, err error) {
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		return nil, nil, err
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(block), ssh.MarshalAuthorizedKey(key), nil
}

// RemoveDisk deletes what the host has written.
func (h *Host) RemoveDisk() error { return os.RemoveAll(h.Dir) }
