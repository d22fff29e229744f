//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// publishLimit is the largest message that POST /publish takes, in bytes.
	publishLimit = 1 << 20
	// publishTimeout is how long it may wait for the broker.
	publishTimeout = 5 * time.Second
	// positionHeader says where in its channel a message is that was published.
	positionHeader = "Wsfleet-Position"
)

// adminServer serves health, metrics and control, on net/http and away from the
// loops.
func (n *node) adminServer() *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", n.serveReady)
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /channels", n.serveChannels)
	mux.HandleFunc("POST /publish", n.servePublish)
	mux.HandleFunc("POST /drain", n.serveDrain)
	if n.cfg.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
}

func (n *node) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := n.unready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ready")
}

func (n *node) servePublish(w http.ResponseWriter, r *http.Request) {
	channel := r.URL.Query().Get("channel")
	if err := checkChannel(channel); err != nil {
		http.Error(w, fmt.Sprintf("channel %.40q: %v", channel, err), http.StatusBadRequest)
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, publishLimit))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		http.Error(w, fmt.Sprintf("a message has at most %d bytes", publishLimit), http.StatusRequestEntityTooLarge)
		return
	} else if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), publishTimeout+n.cfg.Fanout.PublishBuffer)
	defer cancel()
	p, err := n.broker.Publish(ctx, channel, payload)
	if err != nil {
		w.Header().Set("Retry-After", strconv.Itoa(int(n.cfg.RetryAfter.Seconds())))
		http.Error(w, fmt.Sprintf("not published on %q: %v", channel, err), http.StatusServiceUnavailable)
		return
	}
	if !p.IsZero() {
		w.Header().Set(positionHeader, p.String())
	}
	w.WriteHeader(http.StatusNoContent)
}

func (n *node) serveDrain(w http.ResponseWriter, _ *http.Request) {
	n.requestDrain()
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintln(w, "draining")
}
