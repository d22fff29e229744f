//go:build linux

package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/wsfleet/wsfleet/server/broker"
)

// FanoutConfig is the part of Config that says how messages reach the other nodes, and
// what is kept of them.
type FanoutConfig struct {
	Broker        string
	PasswordFile  string
	CAFile        string
	History       broker.History
	Queue         int
	PublishBuffer time.Duration
}

// memoryBroker is the Broker of a node on its own.
const memoryBroker = "memory"

func (c *FanoutConfig) flags(fs *flag.FlagSet) {
	fs.StringVar(&c.Broker, "broker", memoryBroker, "memory, or the `URL` of a Redis: redis://host:port/db, rediss:// for TLS, redis+sentinel://host:port,host:port/name, redis+cluster://host:port,host:port")
	fs.StringVar(&c.PasswordFile, "broker-password-file", "", "`file` that holds the password of the broker")
	fs.StringVar(&c.CAFile, "broker-ca", "", "`file` of the certificates (PEM) that the broker's must come from; empty for those of the system")
	fs.IntVar(&c.Queue, "broker-queue", 64<<20, "`bytes` of published messages that may wait for the loops; more are fetched from history later, or counted as lost")
	fs.IntVar(&c.History.Length, "history-length", 0, "`messages` of each channel that are kept, so that nodes and clients get what they missed; 0 keeps none")
	fs.DurationVar(&c.History.Age, "history-age", 5*time.Minute, "how long they are kept; 0 for as long as there is room")
	fs.DurationVar(&c.PublishBuffer, "publish-buffer", 0, "how long a message waits for a broker that is away before it is refused; 0 refuses it at once")
}

// validate says which value can't be used, and why.
func (c *FanoutConfig) validate() error {
	switch {
	case c.Queue < 64<<10 || c.Queue > 1<<40:
		return fmt.Errorf("-broker-queue %d: want %d to %d", c.Queue, 64<<10, int64(1)<<40)
	case c.History.Length < 0 || c.History.Length > 1e6:
		return fmt.Errorf("-history-length %d: want 0 to %d", c.History.Length, int(1e6))
	case c.History.Age != 0 && c.History.Age < time.Second:
		return fmt.Errorf("-history-age %s: want 0, or 1s or more", c.History.Age)
	case c.PublishBuffer < 0 || c.PublishBuffer > time.Hour:
		return fmt.Errorf("-publish-buffer %s: want 0s to 1h", c.PublishBuffer)
	case c.CAFile != "" && !strings.HasPrefix(c.Broker, "rediss"):
		return fmt.Errorf("-broker-ca %q: -broker %q does not use TLS (rediss://…)", c.CAFile, c.name())
	}
	return c.checkCA()
}

// checkCA reads the file for the error that names its flag.
func (c *FanoutConfig) checkCA() error {
	if c.CAFile == "" {
		return nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return fmt.Errorf("-broker-ca: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return fmt.Errorf("-broker-ca %q: no certificate in it", c.CAFile)
	}
	return nil
}

// name is the URL of the broker without its password.
func (c *FanoutConfig) name() string {
	u, err := url.Parse(c.Broker)
	if err != nil {
		return "(not a URL)"
	}
	return u.Redacted()
}

// broker returns the configuration of the broker, with its password.
func (c *FanoutConfig) broker() (broker.Config, error) {
	password, err := c.password()
	return broker.Config{
		URL: c.Broker, Password: password, CAFile: c.CAFile,
		History: c.History, Queue: c.Queue, PublishBuffer: c.PublishBuffer,
	}, err
}

// newBroker makes the broker that the configuration names.
func (c *FanoutConfig) newBroker() (broker.Broker, error) {
	cfg, err := c.broker()
	if err != nil {
		return nil, err
	}
	b, err := broker.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("-broker: %w", err)
	}
	return b, nil
}

// password reads the password file; a line end after it does not count.
func (c *FanoutConfig) password() (string, error) {
	if c.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(c.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("-broker-password-file: %w", err)
	}
	password := strings.TrimRight(string(b), "\r\n")
	if password == "" {
		return "", errors.New("-broker-password-file: " + c.PasswordFile + " is empty")
	}
	return password, nil
}
