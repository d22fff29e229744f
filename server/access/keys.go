package access

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	// minSecret is the least a secret for HS256 has, RFC 7518 section 3.2.
	minSecret = 32
	// minRSABits is the least an RSA key has, RFC 7518 section 3.3.
	minRSABits = 2048
	// maxKeys bounds what a forged token costs: each key that it may be for is
	// tried.
	maxKeys = 16
)

// key verifies tokens of one algorithm, and never those of another: a public key
// must not be taken for a secret.
type key struct {
	id   string // the base name of its file, which a token's kid may name
	alg  string // RS256, EdDSA or HS256
	with any    // *rsa.PublicKey, ed25519.PublicKey or []byte
}

// loadKeys reads all keys of files. An error names the file.
func loadKeys(files []string) ([]key, error) {
	var all []key
	for _, file := range files {
		b, err := os.ReadFile(file)
		if pathErr := new(os.PathError); errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		var keys []key
		if err == nil {
			keys, err = parseKeys(b)
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", file, err)
		}
		for i := range keys {
			keys[i].id = strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		}
		all = append(all, keys...)
	}
	if len(all) > maxKeys {
		return nil, fmt.Errorf("%d keys: at most %d are allowed", len(all), maxKeys)
	}
	return all, nil
}

// parseKeys reads PEM blocks, or anything else as a secret.
func parseKeys(b []byte) ([]key, error) {
	if !bytes.Contains(b, []byte("-----BEGIN")) {
		k, err := parseSecret(b)
		return []key{k}, err
	}
	var keys []key
	for len(bytes.TrimSpace(b)) > 0 {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return nil, errors.New("malformed PEM")
		}
		k, err := parsePublic(block)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parsePublic(block *pem.Block) (key, error) {
	var public any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return key{}, fmt.Errorf("PEM of a %s: want a PUBLIC KEY", block.Type)
	}
	if err != nil {
		return key{}, err
	}
	switch p := public.(type) {
	case *rsa.PublicKey:
		if bits := p.N.BitLen(); bits < minRSABits {
			return key{}, fmt.Errorf("RSA key of %d bits: want %d or more", bits, minRSABits)
		}
		return key{alg: "RS256", with: p}, nil
	case ed25519.PublicKey:
		return key{alg: "EdDSA", with: p}, nil
	}
	return key{}, fmt.Errorf("%T: want an RSA or Ed25519 key", public)
}

// parseSecret takes b as it is, but for the line end that editors add to text. What
// is a public key in another form is refused: used as a secret, it would let
// everybody sign.
func parseSecret(b []byte) (key, error) {
	if text := bytes.TrimRight(b, "\r\n"); printable(text) {
		b = text
	}
	_, pkix := x509.ParsePKIXPublicKey(b)
	_, pkcs1 := x509.ParsePKCS1PublicKey(b)
	switch {
	case pkix == nil, pkcs1 == nil:
		return key{}, errors.New("a public key in DER: want PEM")
	case bytes.HasPrefix(b, []byte("ssh-")), bytes.HasPrefix(bytes.TrimSpace(b), []byte("{")):
		return key{}, errors.New("neither PEM nor a raw secret")
	case len(b) < minSecret:
		return key{}, fmt.Errorf("a secret of %d bytes: want %d or more", len(b), minSecret)
	}
	return key{alg: "HS256", with: b}, nil
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
