package access

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Subprotocol is what a client offers together with its token (Sec-WebSocket-Protocol:
// bearer, <token>), and what it is answered. Browsers can set no other header.
const Subprotocol = "bearer"

// Tokens checks the JSON Web Tokens (RFC 7519) of handshakes.
type Tokens struct {
	files            []string
	audience, issuer string
	keys             atomic.Pointer[keySet]
}

// keySet is what one reading of the key files gave.
type keySet struct {
	keys   []key
	parser *jwt.Parser
}

// LoadTokens reads the keys: PEM public keys (RSA for RS256, Ed25519 for EdDSA) or
// raw secrets (HS256). Several keys are all good, so that they can be rotated. An
// empty audience or issuer is not checked. An error names the file.
func LoadTokens(files []string, audience, issuer string) (*Tokens, error) {
	t := &Tokens{files: files, audience: audience, issuer: issuer}
	return t, t.Reload()
}

// Reload reads the key files again. If one is bad the keys stay as they are.
func (t *Tokens) Reload() error {
	keys, err := loadKeys(t.files)
	if err != nil {
		return err
	}
	var algs []string
	for _, k := range keys {
		algs = append(algs, k.alg)
	}
	options := []jwt.ParserOption{jwt.WithValidMethods(algs), jwt.WithExpirationRequired(), jwt.WithStrictDecoding()}
	if t.audience != "" {
		options = append(options, jwt.WithAudience(t.audience))
	}
	if t.issuer != "" {
		options = append(options, jwt.WithIssuer(t.issuer))
	}
	t.keys.Store(&keySet{keys, jwt.NewParser(options...)})
	return nil
}

// Keys returns how many keys there are.
func (t *Tokens) Keys() int { return len(t.keys.Load().keys) }

// check returns when the token of r expires, or why it is refused.
func (t *Tokens) check(r *http.Request) (time.Time, error) {
	token := bearer(r)
	if token == "" {
		return time.Time{}, &Refusal{
			Cause: CauseTokenMissing, Text: "a token is required: Authorization: Bearer, ?access_token= or Sec-WebSocket-Protocol: bearer, <token>",
			Challenge: `Bearer realm="wsnode"`,
		}
	}
	set := t.keys.Load()
	var claims jwt.RegisteredClaims
	if _, err := set.parser.ParseWithClaims(token, &claims, set.candidates); err != nil {
		why := explain(err)
		return time.Time{}, &Refusal{
			Cause: CauseTokenInvalid, Text: why,
			Challenge: fmt.Sprintf(`Bearer realm="wsnode", error="invalid_token", error_description="%s"`, why),
		}
	}
	return claims.ExpiresAt.Time, nil
}

// candidates returns the keys that may have signed the token: those of its
// algorithm, and of them the one it names if there is one of that name.
func (s *keySet) candidates(token *jwt.Token) (any, error) {
	if token.Header["crit"] != nil {
		return nil, errors.New("critical extensions are not understood") // RFC 7515 section 4.1.11
	}
	var named, all []jwt.VerificationKey
	for _, k := range s.keys {
		if k.alg != token.Method.Alg() {
			continue
		}
		all = append(all, k.with)
		if k.id == token.Header["kid"] {
			named = append(named, k.with)
		}
	}
	if len(named) > 0 {
		all = named
	}
	return jwt.VerificationKeySet{Keys: all}, nil
}

// explain says what is wrong with a token, in words that need no quoting.
func explain(err error) string {
	for _, c := range []struct {
		is  error
		why string
	}{
		{jwt.ErrTokenMalformed, "the token is malformed"},
		{jwt.ErrTokenExpired, "the token has expired"},
		{jwt.ErrTokenNotValidYet, "the token is not valid yet"},
		{jwt.ErrTokenInvalidAudience, "the token is for another audience"},
		{jwt.ErrTokenInvalidIssuer, "the token is of another issuer"},
		{jwt.ErrTokenRequiredClaimMissing, "the token lacks a required claim: exp, aud or iss"},
		{jwt.ErrTokenSignatureInvalid, "the token is not signed with a known key"},
		{jwt.ErrTokenUnverifiable, "the token is not signed with a known key"},
	} {
		if errors.Is(err, c.is) {
			return c.why
		}
	}
	return "the token is invalid"
}

// bearer finds the token of r, empty if there is none: in the Authorization header,
// else among the subprotocols, else in the query.
func bearer(r *http.Request) string {
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	var offered []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for _, p := range strings.Split(line, ",") {
			offered = append(offered, strings.TrimSpace(p))
		}
	}
	if i := slices.Index(offered, Subprotocol); i >= 0 && i+1 < len(offered) {
		return offered[i+1]
	}
	if strings.Contains(r.URL.RawQuery, "access_token=") {
		return r.URL.Query().Get("access_token")
	}
	return ""
}
