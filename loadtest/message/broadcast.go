package message

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"net/url"
	"strconv"
	"time"
)

// A broadcast is one line of text:
//
//	wsload broadcast <run> <channel> <sequence> <time sent, Unix ns> <padding> <CRC-32 of all before it, 8 hex digits>
//
// The channel is query-escaped and so has no blank. The checksum tells a damaged
// message from a foreign one.
const (
	// DefaultChannel is the one that every connection of a wsnode listens to.
	DefaultChannel = "broadcast"

	broadcastPrefix = "wsload broadcast "
	// MinBroadcastSize has room for all fields with a channel of 40 bytes.
	MinBroadcastSize = 128
)

// Broadcast is what a broadcast says.
type Broadcast struct {
	Run      string
	Channel  string
	Sequence uint32
	Sent     time.Time
}

// Text builds the message, padded to size bytes if it is shorter.
func (b Broadcast) Text(size int) []byte {
	p := fmt.Appendf(nil, "%s%s %s %d %d ", broadcastPrefix, b.Run, url.QueryEscape(b.Channel), b.Sequence, b.Sent.UnixNano())
	for i := 0; len(p) < size-9; i++ {
		p = append(p, padding[i%len(padding)])
	}
	return fmt.Appendf(p, " %08x", crc32.ChecksumIEEE(p))
}

// AppendChannel appends the name of a run's i-th channel. It needs no escaping.
func AppendChannel(dst []byte, run string, i int) []byte {
	dst = append(append(append(dst, "wsload-"...), run...), '-')
	return strconv.AppendInt(dst, int64(i), 10)
}

// Verdict on a message that may be a broadcast.
type Verdict uint8

// The verdicts.
const (
	NotBroadcast Verdict = iota
	Foreign              // a sound broadcast of another run
	Damaged              // it was a broadcast once
	Genuine
)

// Received is what a connection needs of a broadcast of its run.
type Received struct {
	Channel  []byte // as it stands in the message, query-escaped
	Sequence uint32
	Sent     int64 // Unix ns
}

// ParseBroadcast judges p. It allocates nothing: it runs for every delivery.
func ParseBroadcast(p []byte, run string) (Received, Verdict) {
	rest, ok := bytes.CutPrefix(p, []byte(broadcastPrefix))
	if !ok && nearlyBroadcast(p, run) {
		return Received{}, Damaged
	}
	if !ok {
		return Received{}, NotBroadcast
	}
	if len(rest) < 9 {
		return Received{}, Damaged
	}
	body := p[:len(p)-9]
	sum, ok := parseHex8(p[len(p)-8:])
	if !ok || p[len(p)-9] != ' ' || sum != crc32.ChecksumIEEE(body) {
		return Received{}, Damaged
	}
	id, rest, _ := bytes.Cut(rest, []byte{' '})
	if string(id) != run {
		return Received{}, Foreign
	}
	channel, rest, _ := bytes.Cut(rest, []byte{' '})
	sequence, rest, _ := bytes.Cut(rest, []byte{' '})
	sent, _, _ := bytes.Cut(rest, []byte{' '})
	// string(b) as an argument of ParseUint does not escape: no allocation.
	n, err1 := strconv.ParseUint(string(sequence), 10, 32)
	at, err2 := strconv.ParseInt(string(sent), 10, 64)
	if err1 != nil || err2 != nil {
		return Received{}, Damaged
	}
	return Received{channel, uint32(n), at}, Genuine
}

// nearlyBroadcast recognises a broadcast of the run by its id, when the words before
// it are damaged: most of their bytes must be in place.
func nearlyBroadcast(p []byte, run string) bool {
	const words = len(broadcastPrefix)
	if len(p) < words+len(run) || string(p[words:words+len(run)]) != run {
		return false
	}
	wrong := 0
	for i := range words {
		if p[i] != broadcastPrefix[i] {
			wrong++
		}
	}
	return wrong <= words/4
}

func parseHex8(p []byte) (v uint32, ok bool) {
	for _, c := range p {
		switch {
		case c >= '0' && c <= '9':
			v = v<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			v = v<<4 | uint32(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}
