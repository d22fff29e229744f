//go:build linux

package main

import (
	"fmt"
)

const (
	// reservedFiles are a worker's descriptors that are no connections:
	// standard streams, epoll, eventfd, what the runtime opens.
	reservedFiles = 64
	// maxWorkers bounds the workers of a run: the leader has two descriptors each.
	maxWorkers = 4096
	// perCore is from how many connections on a further core is put to use.
	perCore = 10_000
)

// countWorkers returns how many processes hold the connections on all hosts
// together. Each host gets as many as the one with the tightest limits needs, so
// that their shares are equal. asked is -w, for each host.
func countWorkers(connections, asked int, hosts []*host) (workers int, note string, err error) {
	each := 1
	for _, h := range hosts {
		share := h.share(connections, len(hosts))
		if int64(share) > h.facts.FilesFree {
			return 0, "", fmt.Errorf("-a %d: %d connections%s, where the system has %d open files left (fs.file-max)", connections, share, h, h.facts.FilesFree)
		}
		room := h.facts.FilesEach - reservedFiles
		if room < 1 {
			return 0, "", fmt.Errorf("the open-file limit %d%s leaves none for connections: raise it (ulimit -n) above %d", h.facts.FilesEach, h, reservedFiles)
		}
		needed := (share + room - 1) / room
		if needed*len(hosts) > maxWorkers {
			return 0, "", fmt.Errorf("-a %d: the open-file limit %d%s demands %d workers, at most %d are possible; raise it (ulimit -n)",
				connections, h.facts.FilesEach, h, needed*len(hosts), maxWorkers)
		}
		switch {
		case asked == 0:
			needed = max(needed, min(h.facts.CPUs, (share+perCore-1)/perCore))
		case asked < needed && needed > each:
			note = fmt.Sprintf("-w %d: starting %d workers%s, because the open-file limit %d%s allows each %d connections",
				asked, needed, onEach(hosts), h.facts.FilesEach, h, room)
		}
		each = max(each, needed, asked)
	}
	each = min(each, connections/len(hosts)) // none without a connection
	if each*len(hosts) > maxWorkers {
		return 0, "", fmt.Errorf("-w %d: %d workers on %d agents, at most %d are possible", asked, each*len(hosts), len(hosts), maxWorkers)
	}
	return each * len(hosts), note, nil
}

func onEach(hosts []*host) string {
	if len(hosts) == 1 {
		return ""
	}
	return " on each agent"
}
