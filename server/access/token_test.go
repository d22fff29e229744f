package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// keyring holds what issuers sign with, and writes what nodes check with.
type keyring struct {
	t      *testing.T
	dir    string
	rsa    *rsa.PrivateKey
	ed     ed25519.PrivateKey
	secret []byte
}

func newKeyring(t *testing.T) *keyring {
	t.Helper()
	k := &keyring{t: t, dir: t.TempDir(), secret: []byte("a secret of more than thirty-two bytes")}
	var err error
	k.rsa, err = rsa.GenerateKey(rand.Reader, minRSABits)
	require.NoError(t, err)
	_, k.ed, err = ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return k
}

func (k *keyring) write(name string, b []byte) string {
	k.t.Helper()
	file := filepath.Join(k.dir, name)
	require.NoError(k.t, os.WriteFile(file, b, 0o600))
	return file
}

func publicPEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

type claims = jwt.MapClaims

func inAnHour() int64 { return time.Now().Add(time.Hour).Unix() }

func sign(t *testing.T, method jwt.SigningMethod, key any, header, c map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims(c))
	for name, v := range header {
		token.Header[name] = v
	}
	s, err := token.SignedString(key)
	require.NoError(t, err)
	return s
}

// answer returns the text of the refusal of token, empty if it is accepted.
func answer(t *testing.T, tokens *Tokens, token string) string {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	_, err := tokens.check(r)
	if err == nil {
		return ""
	}
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, CauseTokenInvalid, refusal.Cause)
	require.Contains(t, refusal.Challenge, `Bearer realm="wsnode", error="invalid_token", error_description="`+refusal.Text+`"`)
	return refusal.Text
}

func TestTokens(t *testing.T) {
	k := newKeyring(t)
	files := []string{
		k.write("rsa.pem", publicPEM(t, k.rsa)), k.write("ed.pem", publicPEM(t, k.ed)), k.write("secret", append(k.secret, '\n')),
	}
	tokens, err := LoadTokens(files, "chat", "https://issuer.example")
	require.NoError(t, err)
	require.Equal(t, 3, tokens.Keys())
	otherRSA, err := rsa.GenerateKey(rand.Reader, minRSABits)
	require.NoError(t, err)
	_, otherEd, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)

	good := claims{"exp": inAnHour(), "aud": "chat", "iss": "https://issuer.example"}
	with := func(name string, v any) claims {
		c := claims{}
		for n, v := range good {
			c[n] = v
		}
		c[name] = v
		if v == nil {
			delete(c, name)
		}
		return c
	}
	eddsa := func(c claims) string { return sign(t, jwt.SigningMethodEdDSA, k.ed, nil, c) }
	whole := eddsa(good)
	for name, c := range map[string]struct{ token, want string }{
		"RS256":                        {sign(t, jwt.SigningMethodRS256, k.rsa, nil, good), ""},
		"EdDSA":                        {whole, ""},
		"HS256":                        {sign(t, jwt.SigningMethodHS256, k.secret, nil, good), ""},
		"kid of the key":               {sign(t, jwt.SigningMethodEdDSA, k.ed, map[string]any{"kid": "ed"}, good), ""},
		"kid nobody knows":             {sign(t, jwt.SigningMethodEdDSA, k.ed, map[string]any{"kid": "2019"}, good), ""},
		"kid of another kind":          {sign(t, jwt.SigningMethodEdDSA, k.ed, map[string]any{"kid": "rsa"}, good), ""},
		"one audience of two":          {eddsa(with("aud", []string{"mail", "chat"})), ""},
		"another RSA key":              {sign(t, jwt.SigningMethodRS256, otherRSA, nil, good), "not signed with a known key"},
		"another Ed25519 key":          {sign(t, jwt.SigningMethodEdDSA, otherEd, nil, good), "not signed with a known key"},
		"another secret":               {sign(t, jwt.SigningMethodHS256, []byte("another"), nil, good), "not signed with a known key"},
		"alg none":                     {sign(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good), "not signed with a known key"},
		"RS512":                        {sign(t, jwt.SigningMethodRS512, k.rsa, nil, good), "not signed with a known key"},
		"PS256":                        {sign(t, jwt.SigningMethodPS256, k.rsa, nil, good), "not signed with a known key"},
		"HS512":                        {sign(t, jwt.SigningMethodHS512, k.secret, nil, good), "not signed with a known key"},
		"signed with our PEM":          {sign(t, jwt.SigningMethodHS256, publicPEM(t, k.rsa), nil, good), "not signed with a known key"},
		"signed with our Ed25519":      {sign(t, jwt.SigningMethodHS256, []byte(k.ed.Public().(ed25519.PublicKey)), nil, good), "not signed with a known key"},
		"critical extension":           {sign(t, jwt.SigningMethodEdDSA, k.ed, map[string]any{"crit": []string{"b64"}}, good), "not signed with a known key"},
		"expired":                      {eddsa(with("exp", time.Now().Add(-time.Minute).Unix())), "expired"},
		"without expiry":               {eddsa(with("exp", nil)), "lacks a required claim"},
		"not yet":                      {eddsa(with("nbf", inAnHour())), "not valid yet"},
		"another audience":             {eddsa(with("aud", "mail")), "another audience"},
		"without audience":             {eddsa(with("aud", nil)), "lacks a required claim"},
		"another issuer":               {eddsa(with("iss", "https://evil.example")), "another issuer"},
		"other claims, same signature": {strings.Split(whole, ".")[0] + "." + strings.Split(eddsa(with("sub", "root")), ".")[1] + "." + strings.Split(whole, ".")[2], "not signed"},
		"no signature":                 {strings.Join(strings.Split(whole, ".")[:2], ".") + ".", "not signed"},
		"two parts":                    {"a.b", "malformed"},
		"junk":                         {"%%%.%%%.%%%", "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			got := answer(t, tokens, c.token)
			if c.want == "" {
				require.Empty(t, got)
			} else {
				require.Contains(t, got, c.want)
			}
		})
	}
}

func TestExpiryIsTheTokens(t *testing.T) {
	k := newKeyring(t)
	tokens, err := LoadTokens([]string{k.write("secret", k.secret)}, "", "")
	require.NoError(t, err)
	r := httptest.NewRequest(http.MethodGet, "/?access_token="+sign(t, jwt.SigningMethodHS256, k.secret, nil, claims{"exp": 4102444800}), nil)
	expires, err := tokens.check(r)
	require.NoError(t, err)
	require.EqualValues(t, 4102444800, expires.Unix())
}

func TestWhereTheTokenIs(t *testing.T) {
	for name, c := range map[string]struct {
		target string
		header [][2]string
		want   string
	}{
		"nowhere":               {"/", nil, ""},
		"header":                {"/", [][2]string{{"Authorization", "Bearer abc"}}, "abc"},
		"header in lower case":  {"/", [][2]string{{"Authorization", "bearer abc"}}, "abc"},
		"another scheme":        {"/?access_token=q", [][2]string{{"Authorization", "Basic abc"}}, "q"},
		"query":                 {"/?channel=a&access_token=abc", nil, "abc"},
		"subprotocol":           {"/", [][2]string{{"Sec-WebSocket-Protocol", "bearer, abc"}}, "abc"},
		"subprotocol, of three": {"/", [][2]string{{"Sec-WebSocket-Protocol", "chat,bearer,abc"}}, "abc"},
		"subprotocol, two lines": {"/", [][2]string{
			{"Sec-WebSocket-Protocol", "bearer"}, {"Sec-WebSocket-Protocol", "abc"},
		}, "abc"},
		"subprotocol without":     {"/", [][2]string{{"Sec-WebSocket-Protocol", "bearer"}}, ""},
		"header before the query": {"/?access_token=q", [][2]string{{"Authorization", "Bearer abc"}}, "abc"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, c.target, nil)
			for _, h := range c.header {
				r.Header.Add(h[0], h[1])
			}
			require.Equal(t, c.want, bearer(r))
		})
	}
	_, err := new(Tokens).check(httptest.NewRequest(http.MethodGet, "/", nil))
	var refusal *Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, CauseTokenMissing, refusal.Cause)
	require.Equal(t, `Bearer realm="wsnode"`, refusal.Challenge)
}

func TestRotation(t *testing.T) {
	k := newKeyring(t)
	_, next, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	file := k.write("current.pem", publicPEM(t, k.ed))
	tokens, err := LoadTokens([]string{file}, "", "")
	require.NoError(t, err)
	c := claims{"exp": inAnHour()}
	old, fresh := sign(t, jwt.SigningMethodEdDSA, k.ed, nil, c), sign(t, jwt.SigningMethodEdDSA, next, nil, c)
	require.Empty(t, answer(t, tokens, old))
	require.NotEmpty(t, answer(t, tokens, fresh))

	k.write("current.pem", append(publicPEM(t, k.ed), publicPEM(t, next)...))
	require.NoError(t, tokens.Reload())
	require.Equal(t, 2, tokens.Keys())
	require.Empty(t, answer(t, tokens, old))
	require.Empty(t, answer(t, tokens, fresh))

	k.write("current.pem", []byte("-----BEGIN PUBLIC KEY-----\nhalf a file"))
	require.ErrorContains(t, tokens.Reload(), file)
	require.Empty(t, answer(t, tokens, fresh), "the keys stay")

	k.write("current.pem", publicPEM(t, next))
	require.NoError(t, tokens.Reload())
	require.NotEmpty(t, answer(t, tokens, old), "withdrawn")
}

// Two keys of one kind: a token that names one must be signed with that one.
func TestKidPicksTheKey(t *testing.T) {
	k := newKeyring(t)
	_, other, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	tokens, err := LoadTokens([]string{k.write("a.pem", publicPEM(t, k.ed)), k.write("b.pem", publicPEM(t, other))}, "", "")
	require.NoError(t, err)
	for _, id := range []string{"a", "b", "c"} {
		token := sign(t, jwt.SigningMethodEdDSA, k.ed, map[string]any{"kid": id}, claims{"exp": inAnHour()})
		require.Equal(t, id != "b", answer(t, tokens, token) == "", id)
	}
}

func TestBadKeyFilesAreNamed(t *testing.T) {
	k := newKeyring(t)
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(k.ed)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(k.ed.Public())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"short secret":  {[]byte("hunter2"), "secret of 7 bytes: want 32 or more"},
		"empty":         {nil, "secret of 0 bytes"},
		"private key":   {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), "PRIVATE KEY: want a PUBLIC KEY"},
		"small RSA key": {publicPEM(t, small), "1024 bits"},
		"ECDSA":         {publicPEM(t, curve), "want an RSA or Ed25519 key"},
		"half a PEM":    {publicPEM(t, k.rsa)[:100], "malformed PEM"},
		"DER":           {der, "want PEM"},
		"OpenSSH":       {[]byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJxdmx5"), "neither PEM nor a raw secret"},
		"JWKS":          {[]byte(`{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "…"}]}`), "neither PEM nor a raw secret"},
	} {
		t.Run(name, func(t *testing.T) {
			file := k.write("key", c.b)
			_, err := LoadTokens([]string{file}, "", "")
			require.ErrorContains(t, err, `"`+file+`": `)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err = LoadTokens([]string{"/does/not/exist"}, "", "")
	require.EqualError(t, err, `"/does/not/exist": no such file or directory`)
}
