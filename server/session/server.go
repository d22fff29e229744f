//go:build linux

// Package session is one WebSocket connection (RFC 6455) on a netpoll
// connection: the handshake, frame boundaries, control frames, the heartbeat and
// the closing handshake. What messages mean is the Handler's business.
package session

import (
	"bufio"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/server/netpoll"
	"github.com/wsfleet/wsfleet/server/session/frame"
)

// Config of a Server. Durations of 0 switch a time limit off.
type Config struct {
	// HandshakeTimeout bounds the time from accept to a whole request.
	HandshakeTimeout time.Duration
	// HandshakeLimit bounds the request's header, in bytes.
	HandshakeLimit int
	// ReadLimit bounds the payload of a message, in bytes.
	ReadLimit int
	// ReceiveMemory bounds what the messages that are not whole yet take on each
	// shard, in bytes; 0 is no bound. Beyond it, large messages wait for each other;
	// those of up to 2 KiB are not held up.
	ReceiveMemory int
	// HeartbeatInterval: a peer that sent no message for this long gets a ping.
	HeartbeatInterval time.Duration
	// HeartbeatTimeout: a peer of whom nothing came for this long is gone.
	HeartbeatTimeout time.Duration
	// MaxConnections bounds the connections of all shards; 0 is no bound.
	MaxConnections int
	// MemoryShort, if set, tells that new sessions must be refused for want of
	// memory. Asked on the loops about each connection when it is accepted and
	// again at its handshake; it must not block.
	MemoryShort func() bool
	// RetryAfter is what a refused client is told to wait.
	RetryAfter time.Duration
	// Paths that are served.
	Paths []string
	// AllowOrigin decides on the Origin of a browser; nil allows all.
	AllowOrigin func(origin string) bool
	// Gate, if set, decides who may connect.
	Gate Gate
	// Subprotocols that are accepted, the preferred first.
	Subprotocols []string
	// Plain, if set, returns the whole HTTP answer to a GET that asks for no
	// upgrade, nil where it has none. Called on the loops.
	Plain func(r *http.Request) []byte
	// Compression accepts permessage-deflate where a client offers it.
	Compression bool
	// ObserveRTT, if set, gets the round trip of each heartbeat. Called on
	// the loops.
	ObserveRTT func(time.Duration)
}

// refuseHeadroom is how many connections beyond MaxConnections, or without a session
// while memory is short, are held for as long as it takes to read their request and
// refuse it politely. Beyond them the refusal is sent unread.
const refuseHeadroom = 64

// Server is what the shards of a process share.
type Server struct {
	cfg       Config
	open      atomic.Int64 // connections of all shards, also in handshake
	sessions  atomic.Int64 // of them, those whose handshake succeeded
	deflating atomic.Int64 // open sessions with permessage-deflate
	draining  atomic.Bool
}

// NewServer returns a server without shards.
func NewServer(cfg Config) *Server { return &Server{cfg: cfg} }

// SetDraining makes every new handshake be refused with 503.
func (s *Server) SetDraining() { s.draining.Store(true) }

// Draining reports whether SetDraining was called.
func (s *Server) Draining() bool { return s.draining.Load() }

// Handler is what an application plugs in. All methods are called on the loop of
// the session and must not block it.
type Handler interface {
	// Open: the handshake is done. The request is only valid during the call.
	Open(s *Session, r *http.Request)
	// Message brings one whole message. The payload is only valid during the
	// call; op is frame.Text (valid UTF-8) or frame.Binary.
	Message(s *Session, op frame.Opcode, payload []byte)
	// Close is the last call, made once for every session that was opened.
	Close(s *Session, reason Reason)
}

// Stats counts what the sessions of a shard did. The loop writes, anyone reads.
type Stats struct {
	Opened           atomic.Uint64
	Plain            atomic.Uint64 // requests answered by Config.Plain
	MessagesReceived atomic.Uint64
	MessagesSent     atomic.Uint64
	Pings            atomic.Uint64
	Receiving        atomic.Int64 // bytes claimed for messages that are not whole yet
	Waiting          atomic.Int64 // sessions that are not read until there is room for their message
	Closed           [reasonCount]atomic.Uint64
	Rejected         [rejectionCount]atomic.Uint64
}

// Shard is the part of a Server that lives on one loop.
type Shard struct {
	srv     *Server
	loop    *netpoll.Loop
	codec   *codec
	deflate *codec // nil until a session needs it
	stats   Stats

	// Scratch of the session whose data is being handled.
	current *Session
	out     []byte // frames to write when its data has been handled
	join    []byte // the parts of a message
	single  []byte // one frame on its own
	buffers buffers
	intake  intake

	upgrade upgradeScratch
	reader  *bufio.Reader // of requests
}

// NewShard makes the part of s that lives on loop.
func (s *Server) NewShard(loop *netpoll.Loop) *Shard {
	sh := &Shard{srv: s, loop: loop, codec: newCodec(), intake: intake{budget: s.cfg.ReceiveMemory, stall: intakeStall}}
	sh.upgrade.init(s.cfg.AllowOrigin)
	sh.upgrade.upgrader.Subprotocols = s.cfg.Subprotocols
	sh.upgrade.upgrader.EnableCompression = s.cfg.Compression
	sh.reader = bufio.NewReaderSize(nil, 4096)
	return sh
}

// Stats returns the shard's counters.
func (sh *Shard) Stats() *Stats { return &sh.stats }

// Loop returns the loop that the shard lives on.
func (sh *Shard) Loop() *netpoll.Loop { return sh.loop }

// Accept takes over the accepted socket fd as session s, which must be zero, and
// expects its handshake. Events go to h, which usually embeds s.
func (sh *Shard) Accept(fd int, s *Session, h Handler) {
	n := sh.srv.open.Add(1)
	if why, beyond := sh.beyondHeadroom(n); beyond {
		sh.reject(why)
		sh.srv.open.Add(-1)
		_, _ = unix.Write(fd, sh.refusal(&Refusal{Why: why}))
		_ = unix.Close(fd)
		return
	}
	s.shard, s.handler = sh, h
	if err := sh.loop.Attach(&s.Conn, fd, s); err != nil {
		sh.reject(RejectGone)
		sh.srv.open.Add(-1)
		return
	}
	if s.arrive() {
		s.setTimer(sh.srv.cfg.HandshakeTimeout)
	}
}

// beyondHeadroom reports whether the newest of n connections is to be refused unread.
func (sh *Shard) beyondHeadroom(n int64) (why Rejection, beyond bool) {
	cfg := &sh.srv.cfg
	if cfg.MaxConnections > 0 && n > int64(cfg.MaxConnections+refuseHeadroom) {
		return RejectCapacity, true
	}
	short := cfg.MemoryShort != nil && cfg.MemoryShort()
	return RejectMemory, short && n-sh.srv.sessions.Load() > refuseHeadroom
}

func (sh *Shard) reject(r Rejection) { sh.stats.Rejected[r].Add(1) }

// overCapacity reports whether there are more connections than there may be,
// the one that asks included.
func (sh *Shard) overCapacity() bool {
	limit := sh.srv.cfg.MaxConnections
	return limit > 0 && sh.srv.open.Load() > int64(limit)
}

func (sh *Shard) servesPath(path string) bool { return slices.Contains(sh.srv.cfg.Paths, path) }
