package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// topology is how the servers of a URL belong together.
type topology int

const (
	single   topology = iota
	sentinel          // a primary that Sentinels name
	cluster
)

// schemes are those of a Redis, by what stands before ://.
var schemes = map[string]struct {
	topology topology
	tls      bool
	port     string // where the URL names none
}{
	"redis":           {single, false, "6379"},
	"rediss":          {single, true, "6379"},
	"redis+sentinel":  {sentinel, false, "26379"},
	"rediss+sentinel": {sentinel, true, "26379"},
	"redis+cluster":   {cluster, false, "6379"},
	"rediss+cluster":  {cluster, true, "6379"},
}

// target is the Redis that a Config names.
type target struct {
	topology topology
	name     string // for messages: the addresses, never a password
	options  redis.UniversalOptions
}

// NewClient returns a client of the Redis that cfg names, for those who use it beside
// the broker. It doesn't connect yet; the caller closes it. The error names the field
// and its value.
func NewClient(cfg Config) (redis.UniversalClient, error) {
	t, err := parseTarget(cfg)
	if err != nil {
		return nil, err
	}
	return t.client(), nil
}

// client returns one that tries each command once: what is tried again, and when, is
// decided by those who know what it means. In a cluster it follows redirections.
func (t target) client() redis.UniversalClient {
	options := t.options
	switch t.topology {
	case sentinel:
		return redis.NewFailoverClient(options.Failover())
	case cluster:
		client := redis.NewClusterClient(options.Cluster())
		client.AddHook(reload{client})
		return client
	default:
		return redis.NewClient(options.Simple())
	}
}

// parseTarget reads cfg. It does not use url.Parse for the whole, which knows one host
// only and whose errors repeat the password.
func parseTarget(cfg Config) (t target, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("broker %q: %w", redacted(cfg.URL), err)
		}
	}()
	scheme, rest, _ := strings.Cut(cfg.URL, "://")
	kind, known := schemes[scheme]
	if !known {
		return target{}, errors.New("want memory, redis://, rediss://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or rediss+cluster://")
	}
	user, hosts, path := splitAuthority(rest)
	if strings.Contains(path, "@") {
		return target{}, errors.New("a / in user or password must be written %2F; better give the password by file")
	}
	for _, part := range []string{hosts, path} {
		if i := strings.IndexAny(part, "?#"); i >= 0 {
			return target{}, fmt.Errorf("%q: it takes no options", part[i:])
		}
	}
	t.topology = kind.topology
	t.options = redis.UniversalOptions{
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if t.options.Addrs, err = parseHosts(hosts, kind.port); err != nil {
		return target{}, err
	}
	if kind.topology == single && len(t.options.Addrs) != 1 {
		return target{}, fmt.Errorf("%q: a single server has one address; several are for %s+sentinel and %[2]s+cluster", hosts, scheme)
	}
	t.name = strings.Join(t.options.Addrs, ",")
	if err := t.setUser(user, cfg.Password); err != nil {
		return target{}, err
	}
	if err := t.setPath(path); err != nil {
		return target{}, err
	}
	return t, t.setTLS(kind.tls, cfg.CAFile)
}

// setUser takes who to be from the URL; a password given apart counts more than the one in it.
func (t *target) setUser(user, password string) (err error) {
	name, inURL, _ := strings.Cut(user, ":")
	if t.options.Username, err = url.PathUnescape(name); err != nil {
		return fmt.Errorf("user %q: %w", name, err)
	}
	if t.options.Password, err = url.PathUnescape(inURL); err != nil {
		return errors.New("the password in the URL has a % that begins no escape; better give it by file")
	}
	if password != "" {
		t.options.Password = password
	}
	if t.options.Username != "" && t.options.Password == "" {
		return fmt.Errorf("user %q needs a password", t.options.Username)
	}
	// A Sentinel without a password accepts any; one with another user of that name is rare.
	t.options.SentinelPassword = t.options.Password
	return nil
}

// setPath reads what follows the hosts: the database, the name of the primary and
// perhaps a database, or nothing.
func (t *target) setPath(path string) error {
	db := path
	switch t.topology {
	case sentinel:
		t.options.MasterName, db, _ = strings.Cut(path, "/")
		if t.options.MasterName == "" {
			return errors.New("the path must name the primary as the Sentinels call it: redis+sentinel://host:port,host:port/name")
		}
		t.name += "/" + t.options.MasterName
	case cluster:
		if path != "" && path != "0" {
			return fmt.Errorf("path %q: a cluster has only database 0", "/"+path)
		}
		return nil
	}
	if db == "" {
		return nil
	}
	n, err := strconv.ParseUint(db, 10, 16)
	if err != nil {
		return fmt.Errorf("database %q: want a number from 0", db)
	}
	t.options.DB = int(n)
	return nil
}

func (t *target) setTLS(on bool, caFile string) error {
	if !on {
		if caFile != "" {
			return fmt.Errorf("the CA file %q is for rediss://, without TLS nobody would look at it", caFile)
		}
		return nil
	}
	t.options.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return fmt.Errorf("CA file: %w", err)
	}
	t.options.TLSConfig.RootCAs = x509.NewCertPool()
	if !t.options.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("CA file %q: no certificate in it (PEM)", caFile)
	}
	return nil
}
