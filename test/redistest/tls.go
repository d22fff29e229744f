package redistest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certificates are an authority of the test's own and what it issued for 127.0.0.1.
type certificates struct {
	caFile, certFile, keyFile string
	client                    *tls.Config // for those who trust it
}

// certificates returns nil if the setup is without TLS.
func (s Setup) certificates(t testing.TB) *certificates {
	t.Helper()
	if !s.TLS {
		return nil
	}
	day := 24 * time.Hour
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wsfleet test CA"},
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "wsfleet test redis"},
		NotBefore: time.Now().Add(-day), NotAfter: time.Now().Add(day),
		// A replica, and a member of a cluster, shows it to its primary as a client.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	caKey, serverKey := newKey(t), newKey(t)
	caDER := sign(t, ca, ca, caKey, caKey)
	c := &certificates{caFile: writePEM(t, "CERTIFICATE", caDER)}
	c.certFile = writePEM(t, "CERTIFICATE", sign(t, server, ca, serverKey, caKey))
	keyDER, err := x509.MarshalPKCS8PrivateKey(serverKey)
	if err != nil {
		t.Fatal(err)
	}
	c.keyFile = writePEM(t, "PRIVATE KEY", keyDER)
	cert, err := x509.ParseCertificate(caDER)
	if err != nil {
		t.Fatal(err)
	}
	c.client = &tls.Config{RootCAs: x509.NewCertPool()}
	c.client.RootCAs.AddCert(cert)
	return c
}

// args are the options of a redis-server, or a Sentinel, that use them.
func (c *certificates) args() []string {
	return []string{
		"--tls-cert-file", c.certFile, "--tls-key-file", c.keyFile, "--tls-ca-cert-file", c.caFile,
		"--tls-auth-clients", "no", "--tls-replication", "yes", "--tls-cluster", "yes",
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t testing.TB, template, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func writePEM(t testing.TB, kind string, der []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
