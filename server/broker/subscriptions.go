package broker

import "github.com/redis/go-redis/v9"

// newSubscriptions makes the links that feed r.
func newSubscriptions(t target, r *Redis) subscriptions {
	if t.topology == cluster {
		return newClusterLinks(r.shards, r.interest, func(addr string, in *interest) *link {
			return newLink(r.shards.client(addr).Options(), r.client, in, r.intake, &r.stats)
		})
	}
	server := *r.client.(*redis.Client).Options()
	server.Addr = t.name // what a Sentinel names is dialled whatever stands here
	return newLink(&server, r.client, r.interest, r.intake, &r.stats)
}
