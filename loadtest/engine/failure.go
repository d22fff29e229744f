//go:build linux

package engine

import (
	"errors"
	"io"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/wsfleet/wsfleet/server/netpoll"
)

// failure is an error that knows its class.
type failure struct{ class, text string }

func (f *failure) Error() string { return f.text }

var (
	errTimeout     = &failure{"timeout", "no answer in time"}
	errInterrupted = &failure{"interrupted", "given up when the closing began"}
)

var errnoClasses = map[unix.Errno]string{
	unix.ECONNREFUSED:  "refused",
	unix.ECONNRESET:    "reset",
	unix.EPIPE:         "reset",
	unix.ETIMEDOUT:     "timeout",
	unix.EADDRNOTAVAIL: "no_port", // every port of the source address is taken
	unix.EMFILE:        "no_file",
	unix.ENFILE:        "no_file",
	unix.ENETUNREACH:   "unreachable",
	unix.EHOSTUNREACH:  "unreachable",
}

// classify names the class of a failure; the stage is not part of it.
func classify(err error) string {
	var f *failure
	var errno unix.Errno
	switch {
	case errors.As(err, &f):
		return f.class
	case errors.Is(err, io.EOF):
		return "eof"
	case errors.Is(err, netpoll.ErrSlowConsumer):
		return "write_queue_full"
	case errors.Is(err, netpoll.ErrClosed):
		return "interrupted"
	case errors.As(err, &errno):
		if class, ok := errnoClasses[errno]; ok {
			return class
		}
		return "errno_" + strconv.Itoa(int(errno))
	}
	return "other"
}

func quote(p []byte) string {
	if len(p) > sampleSize {
		return strconv.Quote(string(p[:sampleSize])) + "… (" + strconv.Itoa(len(p)) + " bytes)"
	}
	return strconv.Quote(string(p))
}
