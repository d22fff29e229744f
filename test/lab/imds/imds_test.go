package imds

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func testInstance() Instance {
	return Instance{
		ID: "i-0123456789abcdef0", AMI: "ami-1", Type: "c7g.large", Architecture: "arm64",
		Account: "123456789012", Region: "eu-central-1", Zone: "eu-central-1b", VPC: "vpc-1", Subnet: "subnet-1",
		VPCCIDR: "10.80.0.0/16", SubnetCIDR: "10.80.1.0/24",
		Address: netip.MustParseAddr("10.80.1.4"), Secondary: []netip.Addr{netip.MustParseAddr("10.80.1.9")},
		MAC: "02:00:00:00:00:01", ENI: "eni-1", Hostname: "ip-10-80-1-4.eu-central-1.compute.internal",
		KeyName: "lab", PublicKey: "ssh-ed25519 AAAA", SecurityGroups: []string{"node"}, SecurityGroupIDs: []string{"sg-1"},
		Tags: map[string]string{"Role": "node", "aws:autoscaling:groupName": "lab-node"}, UserData: []byte("#!/bin/sh\ntrue\n"),
		Role: "monitoring", Profile: "arn:aws:iam::123456789012:instance-profile/monitoring", Launched: time.Unix(1750000000, 0),
	}
}

type client struct {
	t     *testing.T
	url   string
	token string
}

func newClient(t *testing.T, h http.Handler) *client {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &client{t: t, url: s.URL}
}

func (c *client) do(method, path string, header ...string) (int, string) {
	req, err := http.NewRequest(method, c.url+path, nil)
	require.NoError(c.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if c.token != "" {
		req.Header.Set(tokenHeader, c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(c.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(c.t, err)
	return resp.StatusCode, string(body)
}

// login fetches a token.
func (c *client) login() {
	status, token := c.do(http.MethodPut, "/latest/api/token", ttlHeader, "60")
	require.Equal(c.t, http.StatusOK, status)
	c.token = token
}

func (c *client) get(path string) string {
	status, body := c.do(http.MethodGet, path)
	require.Equal(c.t, http.StatusOK, status, path)
	return body
}

func TestNothingIsToldWithoutAToken(t *testing.T) {
	c := newClient(t, New(testInstance()))
	for _, path := range []string{"/", "/latest/meta-data/", "/latest/meta-data/instance-id", "/latest/user-data"} {
		status, body := c.do(http.MethodGet, path)
		require.Equal(t, http.StatusUnauthorized, status, path)
		require.NotContains(t, body, "i-0123456789abcdef0")
	}
	c.token = "guessed"
	status, _ := c.do(http.MethodGet, "/latest/meta-data/instance-id")
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestTokenRequestsThatAWSRefuses(t *testing.T) {
	c := newClient(t, New(testInstance()))
	for name, test := range map[string]struct {
		header []string
		want   int
	}{
		"no time":      {nil, http.StatusBadRequest},
		"no number":    {[]string{ttlHeader, "soon"}, http.StatusBadRequest},
		"zero":         {[]string{ttlHeader, "0"}, http.StatusBadRequest},
		"too long":     {[]string{ttlHeader, "21601"}, http.StatusBadRequest},
		"from a proxy": {[]string{ttlHeader, "60", "X-Forwarded-For", "10.0.0.1"}, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			status, _ := c.do(http.MethodPut, "/latest/api/token", test.header...)
			require.Equal(t, test.want, status)
		})
	}
	status, _ := c.do(http.MethodPut, "/latest/meta-data/instance-id", ttlHeader, "60")
	require.Equal(t, http.StatusForbidden, status)
	status, _ = c.do(http.MethodPost, "/latest/api/token", ttlHeader, "60")
	require.Equal(t, http.StatusMethodNotAllowed, status)
}

func TestATokenExpires(t *testing.T) {
	h := New(testInstance())
	now := time.Now()
	h.now = func() time.Time { return now }
	c := newClient(t, h)
	c.login()
	require.Equal(t, "i-0123456789abcdef0", c.get("/latest/meta-data/instance-id"))
	now = now.Add(61 * time.Second)
	status, _ := c.do(http.MethodGet, "/latest/meta-data/instance-id")
	require.Equal(t, http.StatusUnauthorized, status)
	c.token = ""
	c.login()
	require.Len(t, h.tokens, 1, "the old token must be forgotten")
}

func TestTheTree(t *testing.T) {
	c := newClient(t, New(testInstance()))
	c.login()
	mac := "/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/"
	for path, want := range map[string]string{
		"/":                                                         "1.0\nlatest",
		"/latest/":                                                  "dynamic/\nmeta-data/\nuser-data",
		"/latest/meta-data/instance-id":                             "i-0123456789abcdef0",
		"/2021-03-23/meta-data/instance-id":                         "i-0123456789abcdef0",
		"/latest/meta-data/local-ipv4":                              "10.80.1.4",
		"/latest/meta-data/hostname":                                "ip-10-80-1-4.eu-central-1.compute.internal",
		"/latest/meta-data/ami-id":                                  "ami-1",
		"/latest/meta-data/instance-type":                           "c7g.large",
		"/latest/meta-data/mac":                                     "02:00:00:00:00:01",
		"/latest/meta-data/placement/availability-zone":             "eu-central-1b",
		"/latest/meta-data/placement/region":                        "eu-central-1",
		"/latest/meta-data/public-keys/":                            "0=lab",
		"/latest/meta-data/public-keys/0/":                          "openssh-key",
		"/latest/meta-data/public-keys/0/openssh-key":               "ssh-ed25519 AAAA",
		"/latest/meta-data/tags/instance":                           "Role\naws:autoscaling:groupName",
		"/latest/meta-data/tags/instance/Role":                      "node",
		"/latest/meta-data/tags/instance/aws:autoscaling:groupName": "lab-node",
		"/latest/meta-data/iam/security-credentials/":               "monitoring",
		"/latest/meta-data/network/interfaces/macs/":                "02:00:00:00:00:01/",
		mac + "local-ipv4s":                                         "10.80.1.4\n10.80.1.9",
		mac + "subnet-ipv4-cidr-block":                              "10.80.1.0/24",
		mac + "vpc-id":                                              "vpc-1",
		"/latest/user-data":                                         "#!/bin/sh\ntrue\n",
	} {
		require.Equal(t, want, c.get(path), path)
	}
	root := strings.Split(c.get("/latest/meta-data/"), "\n")
	require.Contains(t, root, "instance-id")
	require.Contains(t, root, "placement/")
	require.Contains(t, root, "public-keys/")
	for _, path := range []string{"/latest/meta-data/public-ipv4", "/latest/meta-data/instance-i", "/newest/meta-data/", "/latest/nothing"} {
		status, _ := c.do(http.MethodGet, path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

func TestWhatAnInstanceLacksIsNotThere(t *testing.T) {
	i := testInstance()
	i.Role, i.PublicKey, i.UserData, i.Tags = "", "", nil, nil
	c := newClient(t, New(i))
	c.login()
	for _, path := range []string{"/latest/meta-data/iam/", "/latest/meta-data/public-keys/", "/latest/user-data", "/latest/meta-data/tags/"} {
		status, _ := c.do(http.MethodGet, path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
}

func TestUpdateChangesTheTags(t *testing.T) {
	h := New(testInstance())
	c := newClient(t, h)
	c.login()
	i := testInstance()
	i.Tags = map[string]string{"Role": "edge"}
	h.Update(i)
	require.Equal(t, "edge", c.get("/latest/meta-data/tags/instance/Role"))
}
