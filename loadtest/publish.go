//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/redis/go-redis/v9"

	"github.com/wsfleet/wsfleet/loadtest/message"
)

// publisher hands a broadcast to the system under test.
type publisher interface {
	// Check reports whether the other side is there, without publishing.
	Check(ctx context.Context) error
	// Publish returns nil once the other side has taken the message.
	Publish(ctx context.Context, channel string, payload []byte) error
	// Channel is the one of the URL.
	Channel() string
	Close()
}

// newPublisher returns the publisher for a URL: http(s)://… or redis(s)://….
// With ownChannels, the run publishes on channels of its own.
func newPublisher(rawURL, password string, ownChannels bool) (publisher, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("want http://host:port/publish?channel=name or redis://host:port/0?channel=name")
	}
	query := u.Query()
	channel := query.Get("channel")
	if ownChannels && channel != "" {
		return nil, fmt.Errorf("channel %s: want none, because the run has channels of its own", channel)
	}
	if channel == "" {
		channel = message.DefaultChannel
	}
	switch u.Scheme {
	case "http", "https":
		query.Del("channel") // set for each message
		u.RawQuery = query.Encode()
		return &httpPublisher{url: u, channel: channel, client: &http.Client{Transport: &http.Transport{}}}, nil
	case "redis", "rediss":
		query.Del("channel") // ours, not an option of the client
		u.RawQuery = query.Encode()
		options, err := redis.ParseURL(u.String())
		if err != nil {
			return nil, err
		}
		if password != "" {
			options.Password = password
		}
		redis.SetLogger(quiet{})
		options.MaxRetries = -1 // a message published twice would count as a duplicate
		return &redisPublisher{client: redis.NewClient(options), channel: channel}, nil
	}
	return nil, errors.New("want http://host:port/publish?channel=name or redis://host:port/0?channel=name")
}

// quiet keeps go-redis from writing to standard error: what fails is returned.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

type httpPublisher struct {
	url     *url.URL
	channel string
	client  *http.Client
}

func (p *httpPublisher) Channel() string { return p.channel }

func (p *httpPublisher) Close() { p.client.CloseIdleConnections() }

func (p *httpPublisher) Check(ctx context.Context) error {
	port := p.url.Port()
	if port == "" {
		port = p.url.Scheme // "http" and "https" are service names too
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(p.url.Hostname(), port))
	if err != nil {
		return err
	}
	return conn.Close()
}

func (p *httpPublisher) Publish(ctx context.Context, channel string, payload []byte) error {
	u := *p.url
	query := u.Query()
	query.Set("channel", channel)
	u.RawQuery = query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(payload))
	if err != nil {
		return err
	}
	req.GetBody = nil // no second try over another connection: it would count as a duplicate
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 256))
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	return nil
}

type redisPublisher struct {
	client  *redis.Client
	channel string
}

func (p *redisPublisher) Channel() string                 { return p.channel }
func (p *redisPublisher) Close()                          { _ = p.client.Close() }
func (p *redisPublisher) Check(ctx context.Context) error { return p.client.Ping(ctx).Err() }
func (p *redisPublisher) Publish(ctx context.Context, channel string, payload []byte) error {
	return p.client.Publish(ctx, channel, payload).Err()
}
