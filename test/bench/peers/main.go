// Command peers is one WebSocket echo server, written with the library that it is
// told to use, each in the way its authors show. It answers every message m with
// "Server received: m" and POST /publish on the admin port reaches every client, as
// wsnode does, so that one load generator measures all alike.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// echoPrefix begins every answer.
const echoPrefix = "Server received: "

// server is an echo server made with one library.
type server interface {
	// serve accepts on ln until the process ends.
	serve(ln net.Listener) error
	// broadcast sends a text message to every client.
	broadcast(payload []byte)
}

var servers = map[string]func(heartbeat) server{
	"gorilla": newGorilla,
	"gws":     newGWS,
	"nbio":    newNbio,
	"gobwas":  newGobwas,
	"coder":   newCoder,
}

func main() {
	lib := flag.String("lib", "", "library to use")
	listen := flag.String("listen", "127.0.0.1:8765", "address for WebSocket connections")
	admin := flag.String("admin", "127.0.0.1:8766", "address for metrics and publish")
	var h heartbeat
	flag.DurationVar(&h.interval, "heartbeat", 0, "ping every client once in this time; 0 for never")
	flag.DurationVar(&h.timeout, "heartbeat-timeout", 30*time.Second, "with -heartbeat: end a client that is silent for so long")
	flag.Parse()
	if err := run(*lib, *listen, *admin, h); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(lib, listen, admin string, h heartbeat) error {
	fresh := servers[lib]
	if fresh == nil {
		return fmt.Errorf("-lib %q: want one of %v", lib, slices.Sorted(maps.Keys(servers)))
	}
	s := fresh(h)
	ln, err := net.Listen("tcp4", listen)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, runtime.Version()) })
	mux.HandleFunc("POST /publish", func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.broadcast(payload)
		w.WriteHeader(http.StatusNoContent)
	})
	errs := make(chan error, 2)
	go func() { errs <- http.ListenAndServe(admin, mux) }()
	go func() { errs <- s.serve(ln) }()
	return <-errs
}

// members are the connected clients, for broadcasts.
type members[C comparable] struct{ m sync.Map }

func (s *members[C]) add(c C)    { s.m.Store(c, nil) }
func (s *members[C]) remove(c C) { s.m.Delete(c) }
func (s *members[C]) each(f func(C)) {
	s.m.Range(func(c, _ any) bool { f(c.(C)); return true })
}
