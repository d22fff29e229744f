package broker

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// versionMin is the oldest Redis that has functions and sharded Pub/Sub.
const versionMin = 7

var (
	errNoSuchPrimary = errors.New("the Sentinels watch no primary of this name")
	errNoSentinel    = errors.New("this is no Sentinel: want redis://host:port/db")
	errSentinel      = errors.New("this is a Sentinel: want redis+sentinel://host:port,host:port/name")
	errMember        = errors.New("this is a member of a cluster: want redis+cluster://host:port,host:port")
	errNoMember      = errors.New("this is no member of a cluster: want redis://host:port/db")
)

// checkServer returns why the servers of client are not what a URL says, or too old; nil
// if they will do.
func checkServer(ctx context.Context, client redis.UniversalClient, kind topology) error {
	info, err := client.Info(ctx, "server").Result()
	switch {
	case err == nil:
		return checkInfo(info, kind)
	case kind == sentinel && errors.Is(err, redis.Nil):
		return errNoSuchPrimary
	case kind == sentinel && strings.Contains(err.Error(), "unknown command 'sentinel'"):
		return errNoSentinel
	case kind == cluster && strings.Contains(err.Error(), "cluster support disabled"):
		return errNoMember
	case kind == cluster && strings.Contains(err.Error(), "unknown command 'cluster'"):
		return errSentinel
	}
	return err
}

// checkInfo is checkServer for what INFO said.
func checkInfo(info string, kind topology) error {
	fields := make(map[string]string)
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		fields[name] = value
	}
	switch mode := fields["redis_mode"]; {
	case mode == "sentinel":
		return errSentinel
	case mode == "cluster" && kind != cluster:
		return errMember
	}
	version := fields["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < versionMin {
		return fmt.Errorf("Redis %d.0 or newer is needed: it has functions and sharded Pub/Sub; this is %s", versionMin, version)
	}
	return nil
}
