package scenario

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Client is how every client presents itself to the server, and what it takes for
// that server. Files are read on the leader.
type Client struct {
	Headers     map[string]string `yaml:"headers,omitempty" json:"-"` // they may hold secrets
	Subprotocol string            `yaml:"subprotocol,omitempty" json:"subprotocol,omitempty"`
	Token       string            `yaml:"token,omitempty" json:"-"`
	TokenFile   string            `yaml:"token_file,omitempty" json:"token_file,omitempty"`
	TokenIn     string            `yaml:"token_in,omitempty" json:"token_in,omitempty"`
	CA          string            `yaml:"ca,omitempty" json:"ca,omitempty"` // a file
	Insecure    bool              `yaml:"insecure,omitempty" json:"insecure,omitempty"`
	// Resume makes clients ask for positions (?since=), and after a reconnect for what
	// they missed.
	Resume bool `yaml:"resume,omitempty" json:"resume,omitempty"`
}

// Where a token goes.
const (
	InHeader      = "header"      // Authorization: Bearer
	InQuery       = "query"       // access_token=
	InSubprotocol = "subprotocol" // bearer, the token
)

// HasToken reports whether a token is given.
func (c *Client) HasToken() bool { return c.Token != "" || c.TokenFile != "" }

// Subprotocols returns the names in Subprotocol, which commas separate.
func (c *Client) Subprotocols() (names []string) {
	if c.Subprotocol == "" {
		return nil
	}
	for _, name := range strings.Split(c.Subprotocol, ",") {
		names = append(names, strings.TrimSpace(name))
	}
	return names
}

// ownHeaders are those that wsload sets, and the key to use instead if there is one.
var ownHeaders = map[string]string{
	"upgrade": "", "connection": "", "content-length": "", "transfer-encoding": "",
	"sec-websocket-key": "", "sec-websocket-version": "", "sec-websocket-extensions": "", "sec-websocket-accept": "",
	"sec-websocket-protocol": "{subprotocol}",
}

func (v *validator) client(c Client) {
	for _, target := range v.s.Targets {
		if u, err := url.Parse(target); c.Resume && err == nil && u.Query().Has("since") {
			v.fail("resume", target, "it sets since=, which a target has too")
		}
	}
	lower := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		line := name + ": " + c.Headers[name]
		if want := judgeHeader(name, c.Headers[name]); want != "" {
			v.fail("headers."+name, line, want)
		}
		if lower[strings.ToLower(name)] {
			v.fail("headers."+name, line, name+" is there already")
		}
		lower[strings.ToLower(name)] = true
		if strings.EqualFold(name, "Authorization") && c.HasToken() && c.TokenIn == InHeader {
			v.fail("headers."+name, name, "{token} sets it, or want {token_in} query")
		}
	}
	for _, name := range c.Subprotocols() {
		if !IsToken(name) {
			v.fail("subprotocol", c.Subprotocol, "want names of letters, digits and !#$%&'*+-.^_`|~, separated by commas")
		}
	}
	if !slices.Contains([]string{InHeader, InQuery, InSubprotocol}, c.TokenIn) {
		v.fail("token_in", c.TokenIn, "want header, query or subprotocol")
	}
	if c.Token != "" && c.TokenFile != "" {
		v.fail("token_file", c.TokenFile, "{token} is given too")
	}
	if c.CA != "" && c.Insecure {
		v.fail("ca", c.CA, "{insecure} takes any certificate")
	}
}

// judgeHeader says what is wrong with a header, or nothing.
func judgeHeader(name, value string) string {
	if !IsToken(name) {
		return "the name may have letters, digits and !#$%&'*+-.^_`|~ only"
	}
	for _, b := range []byte(value) {
		if b < ' ' && b != '\t' || b == 0x7f {
			return "the value has a control character"
		}
	}
	instead, own := ownHeaders[strings.ToLower(name)]
	switch {
	case own && instead != "":
		return "wsload sets it: use " + instead
	case own:
		return "wsload sets it"
	}
	return ""
}

// IsToken reports whether s is a token as RFC 9110 section 5.6.2 has it.
func IsToken(s string) bool {
	for _, b := range []byte(s) {
		letter := b|0x20 >= 'a' && b|0x20 <= 'z' || b >= '0' && b <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(b)) {
			return false
		}
	}
	return s != ""
}
