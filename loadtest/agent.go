//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/lifeline"
)

const (
	// greetingTimeout is how long a leader may take to say what it wants.
	greetingTimeout = 10 * time.Second
	// maxStrangers is how many connections may wait for their greeting to be read.
	maxStrangers = 64
)

// agent runs workers on this host for leaders on others.
type agent struct {
	log       *slog.Logger
	id        string
	token     string        // what leaders must know; "" for nothing
	strangers chan struct{} // one for each connection that has not greeted yet

	mu   sync.Mutex // guards the following
	held int        // connections that the workers were started for
}

// serve takes connections until ctx ends, and returns once all of them have and
// no worker is left.
func (a *agent) serve(ctx context.Context, ln net.Listener) error {
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	var conns sync.WaitGroup
	defer conns.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for {
		a.strangers <- struct{}{}
		conn, err := ln.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case err != nil && temporary(err):
			<-a.strangers
			a.log.Warn("no connection can be taken", "error", err)
			time.Sleep(100 * time.Millisecond)
			continue
		case err != nil:
			return fmt.Errorf("accept: %w", err)
		}
		conns.Go(func() { a.take(ctx, lifeline.New(conn)) })
	}
}

// temporary tells what passes, such as too many open files, from a listener that
// is broken.
func temporary(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) ||
		errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.ECONNABORTED)
}

// take serves one connection until it ends.
func (a *agent) take(ctx context.Context, conn *lifeline.Conn) {
	defer conn.Close()
	log := a.log.With("leader", conn.RemoteAddr())
	g, err := a.greet(ctx, conn)
	<-a.strangers
	if err == nil {
		switch {
		case g.Inquiry != nil:
			err = a.inform(ctx, conn, *g.Inquiry)
		case g.Worker != nil:
			err = a.work(ctx, conn, *g.Worker, log.With("run", g.Worker.Run, "connections", g.Worker.Connections))
		default:
			err = errors.New("the greeting asks for nothing")
		}
	}
	if err != nil && !errors.Is(err, lifeline.ErrEnded) {
		log.Warn("refused", "error", err)
		_ = sendLine(conn, response{Error: err.Error()})
	}
}

// greet reads the greeting and judges it.
func (a *agent) greet(ctx context.Context, conn *lifeline.Conn) (greeting, error) {
	var g greeting
	ctx, cancel := context.WithTimeout(ctx, greetingTimeout)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if err := receiveLine(conn, &g); err != nil {
		return g, err
	}
	// Of equal length, so that the time taken says nothing of the token.
	got, want := sha256.Sum256([]byte(g.Token)), sha256.Sum256([]byte(a.token))
	switch {
	case a.token != "" && g.Token == "":
		return g, errors.New("it wants a token (-agent-token-file)")
	case a.token != "" && subtle.ConstantTimeCompare(got[:], want[:]) != 1:
		return g, errors.New("its token is another one (-agent-token-file)")
	case g.Version != version:
		return g, fmt.Errorf("it is wsload %s, the leader is %s: they must be the same", version, g.Version)
	}
	return g, nil
}

// inform answers an inquiry.
func (a *agent) inform(ctx context.Context, conn *lifeline.Conn, q question) error {
	f, err := survey(q)
	if err != nil {
		return err
	}
	a.mu.Lock()
	f.ID, f.Held = a.id, a.held
	a.mu.Unlock()
	if err := sendLine(conn, response{Facts: &f}); err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for {
		if _, err := conn.ReadLine(maxGreeting); err != nil {
			return err
		}
		if err := sendLine(conn, response{Now: time.Now().UnixNano()}); err != nil {
			return err
		}
	}
}

// work starts a worker and is the wire between it and the leader. It returns an
// error only if there is no worker.
func (a *agent) work(ctx context.Context, conn *lifeline.Conn, r request, log *slog.Logger) error {
	p, err := startProcess()
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	defer p.Close()
	a.hold(r.Connections)
	defer a.hold(-r.Connections)
	log = log.With("worker", p.cmd.Process.Pid)
	log.Info("worker started")
	// All that ends the worker kills it: whoever could read its last words is gone.
	defer context.AfterFunc(ctx, func() {
		_ = sendLine(conn, event{AgentEnds: true})
		p.kill()
	})()
	if err := sendLine(conn, response{}); err != nil {
		p.kill()
	}
	go func() {
		_, err := io.Copy(p, conn)
		log.Debug("leader's end", "error", err)
		p.kill()
	}()
	if err := copyLines(conn, p); err != nil {
		p.kill()
		_, _ = io.Copy(io.Discard, p)
	}
	if err := p.wait(nil); err != nil {
		log.Warn("worker ended", "error", err)
		_ = sendLine(conn, event{Error: err.Error()}) // to a leader that is still there
		return nil
	}
	log.Info("worker ended")
	return nil
}

// copyLines hands on whole lines: a worker that dies in the middle of one must not
// spoil what the agent says of its death.
func copyLines(to io.Writer, from io.Reader) error {
	in := bufio.NewReader(from)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil // the end; what there is of a last line is dropped
		}
		if _, err := to.Write(line); err != nil {
			return err
		}
	}
}

func (a *agent) hold(connections int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held += connections
}
