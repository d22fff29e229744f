//go:build linux

package main

import (
	"io"
	"log/slog"
	"sync/atomic"
)

// logBuffer is how many lines may wait for a slow log sink.
const logBuffer = 1024

// asyncWriter hands lines to a goroutine that writes them. When the sink does not
// keep up it drops lines and counts them: a full pipe must not stop a loop.
type asyncWriter struct {
	lines   chan []byte
	done    chan struct{}
	dropped atomic.Uint64
}

// logDropped counts the lines dropped by the process' logger.
var logDropped *atomic.Uint64 = new(atomic.Uint64)

func newLogger(cfg Config, w io.Writer) (log *slog.Logger, closeLog func()) {
	aw := &asyncWriter{lines: make(chan []byte, logBuffer), done: make(chan struct{})}
	go func() {
		defer close(aw.done)
		for line := range aw.lines {
			_, _ = w.Write(line)
		}
	}()
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // Validate has seen it
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(aw, opts)
	if cfg.LogFormat == "json" {
		h = slog.NewJSONHandler(aw, opts)
	}
	logDropped = &aw.dropped
	return slog.New(h), func() { close(aw.lines); <-aw.done }
}

func (w *asyncWriter) Write(p []byte) (int, error) {
	select {
	case w.lines <- append([]byte(nil), p...):
	default:
		w.dropped.Add(1)
	}
	return len(p), nil
}
