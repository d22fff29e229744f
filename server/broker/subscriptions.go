package broker

import "github.com/redis/go-redis/v9"

// newSubscriptions makes the links that feed r.
func newSubscriptions(t target, r *Redis) subscriptions {
	client, _ := r.client.(*redis.Client)
	server := *client.Options()
	server.Addr = t.name // what a Sentinel names is dialled whatever stands here
	return newLink(&server, r.client, r.interest, r.intake, &r.stats)
}
