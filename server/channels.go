//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/presence"
)

const (
	// channelsDefault and channelsLimit are how many channels GET /channels lists
	// unless it is asked for another number, and at the most.
	channelsDefault = 100
	channelsLimit   = 1000
)

// newPresence returns what tells the fleet of this node. The client, if any, is its own.
func (n *node) newPresence() (*presence.Presence, redis.UniversalClient, error) {
	cfg := presence.Config{Node: n.name()}
	if n.cfg.Fanout.Broker != memoryBroker {
		brokerCfg, err := n.cfg.Fanout.broker()
		if err != nil {
			return nil, nil, err
		}
		if cfg.Client, err = broker.NewClient(brokerCfg); err != nil {
			return nil, nil, fmt.Errorf("-broker: %w", err)
		}
	}
	return presence.New(cfg, func() (int64, map[string]int64) { return n.openSessions(), n.hub.Census() }), cfg.Client, nil
}

// name is that of this process for people: the host and where clients connect to.
func (n *node) name() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + " " + n.cfg.Listen
}

// channelsAnswer is what GET /channels says.
type channelsAnswer struct {
	Fleet    presence.Fleet   `json:"fleet"`
	Channels []presence.Count `json:"channels"`
	More     bool             `json:"more"` // there are others after the last
}

// serveChannels tells how many connections channels have in the fleet: those named by
// channel, else the first that begin with prefix.
func (n *node) serveChannels(w http.ResponseWriter, r *http.Request) {
	answer, err := n.channels(r)
	var bad badRequest
	switch {
	case errors.As(err, &bad):
		http.Error(w, bad.Error(), http.StatusBadRequest)
	case err != nil:
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer) // the client has gone
	}
}

// badRequest is an error of the one who asks.
type badRequest struct{ error }

func (n *node) channels(r *http.Request) (answer channelsAnswer, err error) {
	q := r.URL.Query()
	names, limit := q["channel"], channelsDefault
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > channelsLimit {
			return answer, badRequest{fmt.Errorf("limit %.40q: want 1 to %d", text, channelsLimit)}
		}
	}
	switch {
	case len(names) > 0 && q.Has("prefix"):
		return answer, badRequest{errors.New("channel and prefix: give one of them")}
	case len(names) > channelsLimit:
		return answer, badRequest{fmt.Errorf("%d channels: at most %d are answered at once", len(names), channelsLimit)}
	}
	for _, name := range names {
		if err := checkChannel(name); err != nil {
			return answer, badRequest{fmt.Errorf("channel %.40q: %w", name, err)}
		}
	}
	if answer.Fleet, err = n.presence.Fleet(); err != nil {
		return answer, err
	}
	if len(names) > 0 {
		answer.Channels, err = n.presence.Channels(r.Context(), names)
	} else {
		answer.Channels, answer.More, err = n.presence.List(r.Context(), q.Get("prefix"), limit)
	}
	if answer.Channels == nil {
		answer.Channels = []presence.Count{}
	}
	return answer, err
}

// runPresence reports until ctx is done.
func (n *node) runPresence(ctx context.Context) error {
	n.presence.Run(ctx)
	if n.presenceClient != nil {
		return n.presenceClient.Close()
	}
	return nil
}
