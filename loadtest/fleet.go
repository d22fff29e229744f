//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/wsfleet/wsfleet/loadtest/engine"
	"github.com/wsfleet/wsfleet/loadtest/report"
)

const (
	// commandTimeout is how long a worker may take to read a command before it
	// counts as dead.
	commandTimeout = 10 * time.Second
	// stderrTail is how much of a worker's last words is kept, in bytes.
	stderrTail = 4 << 10
)

// member is the leader's end of one worker. Only the leader's goroutine uses it.
type member struct {
	index    int
	share    int // connections
	cmd      *exec.Cmd
	stdin    *os.File
	last     tail
	commands int // taken by the worker
	progress engine.Progress
	echo     report.Latency // latest distribution of the echo round
	result   *report.Counts
	dead     string // why it counts as dead, if it does
	ended    bool   // the process has been waited for
}

// memberEvent is what a member sent, or its end.
type memberEvent struct {
	from  *member
	event event
	ended bool
	why   string
}

// fleet is all workers of a run.
type fleet struct {
	members []*member
	events  chan memberEvent
	sent    int  // commands sent
	listens bool // doListen is among them
	echoes  bool // doEcho is
}

// startFleet starts the workers and gives them their shares.
func startFleet(p *plan) (*fleet, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the own program to start workers: %w", err)
	}
	f := &fleet{events: make(chan memberEvent, 4*p.workers)}
	for i := range p.workers {
		share := p.share(i)
		m, err := f.start(exe, i, share.Connections())
		if err != nil {
			f.end()
			return nil, fmt.Errorf("start worker %d: %w", i, err)
		}
		f.members = append(f.members, m)
		m.send(command{Do: doConfigure, Config: &share, Every: progressInterval(p.workers)})
	}
	f.sent = 1
	return f, nil
}

func (f *fleet) start(exe string, index, share int) (*member, error) {
	m := &member{index: index, share: share, cmd: exec.Command(exe, workerArgument)}
	stdin, toWorker, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer stdin.Close()
	m.cmd.Stdin, m.cmd.Stderr, m.stdin = stdin, &m.last, toWorker
	// A group of their own: Ctrl-C on a terminal is for the leader alone.
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := m.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := m.cmd.Start(); err != nil {
		toWorker.Close()
		return nil, err
	}
	go f.listen(m, stdout)
	return m, nil
}

// listen hands on what the worker sends, and at last how it ended.
func (f *fleet) listen(m *member, stdout io.Reader) {
	d := json.NewDecoder(bufio.NewReader(stdout))
	for {
		var e event
		if err := d.Decode(&e); err != nil {
			break
		}
		f.events <- memberEvent{from: m, event: e}
	}
	why := "ended without a result"
	if err := m.cmd.Wait(); err != nil {
		why = err.Error()
	}
	if text := m.last.String(); text != "" {
		why += ": " + text
	}
	f.events <- memberEvent{from: m, ended: true, why: why}
}

// send gives the worker a command; one that does not take it is ended, which
// shows as an event.
func (m *member) send(c command) {
	if m.dead != "" {
		return
	}
	line, err := json.Marshal(c)
	if err == nil {
		_ = m.stdin.SetWriteDeadline(time.Now().Add(commandTimeout))
		_, err = m.stdin.Write(append(line, '\n'))
	}
	if err != nil {
		_ = m.cmd.Process.Kill()
	}
}

// send gives all workers a command.
func (f *fleet) send(c command) {
	f.sent++
	f.listens = f.listens || c.Do == doListen
	f.echoes = f.echoes || c.Do == doEcho
	for _, m := range f.members {
		m.send(c)
	}
}

// progressInterval is how often a worker says what has changed: all together send
// some hundred lines a second, whatever their number.
func progressInterval(workers int) time.Duration {
	return max(100*time.Millisecond, time.Duration(workers)*10*time.Millisecond)
}

// take notes what a worker sent.
func (f *fleet) take(e memberEvent) {
	m := e.from
	switch {
	case e.ended:
		m.ended = true
		if m.result == nil && m.dead == "" {
			m.dead = e.why
		}
	case e.event.Result != nil:
		m.commands, m.result = e.event.Commands, e.event.Result
	case e.event.Progress != nil:
		m.commands, m.progress = e.event.Commands, *e.event.Progress
		if m.progress.EchoLatency.Percentiles().Count > 0 {
			m.echo = m.progress.EchoLatency
		}
		m.progress.EchoLatency = report.Latency{}
	case e.event.Error != "" && m.dead == "":
		m.dead = e.event.Error
	}
}

// settled reports whether every living worker has carried out what it was sent.
func (f *fleet) settled() bool {
	for _, m := range f.members {
		if m.dead == "" && (m.commands < f.sent || !m.progress.Done) {
			return false
		}
	}
	return true
}

func (f *fleet) lost() (n int64) {
	for _, m := range f.members {
		if m.dead != "" {
			n++
		}
	}
	return n
}

// finished reports whether every worker has given its result or died.
func (f *fleet) finished() bool {
	for _, m := range f.members {
		if m.dead == "" && m.result == nil {
			return false
		}
	}
	return true
}

// now merges what is known of all workers: their results, or their latest
// progress.
func (f *fleet) now(confirmed int64) (*report.Counts, error) {
	sum := &report.Counts{}
	for _, m := range f.members {
		counts := &m.progress.Counts
		switch {
		case m.dead != "":
			counts = f.lostShare(m, confirmed)
		case m.result != nil:
			counts = m.result
		}
		if err := sum.Merge(counts); err != nil {
			return nil, fmt.Errorf("worker %d: %w", m.index, err)
		}
	}
	return sum, nil
}

// lostShare counts all of a dead worker's part as failed: nobody can tell any
// more what of it was well.
func (f *fleet) lostShare(m *member, confirmed int64) *report.Counts {
	n := int64(m.share)
	c := &report.Counts{
		Started: n, Failed: n, Failures: report.Classes{"worker.died": n},
		Samples: []report.Sample{{Class: "worker.died", Connection: -1, Error: fmt.Sprintf("worker %d: %s", m.index, m.dead)}},
	}
	if f.echoes {
		c.Echo.Sent, c.Echo.Closed = n, n
	}
	if f.listens {
		c.Broadcast = report.BroadcastCounts{
			Listeners: n, Expected: n * confirmed, Lost: n * confirmed, LostClosed: n * confirmed, Affected: n,
		}
	}
	return c
}

// echoPercentiles merges the workers' latest distributions of the echo round.
func (f *fleet) echoPercentiles() report.Percentiles {
	var sum report.Latency
	for _, m := range f.members {
		_ = sum.Merge(m.echo) // equal geometries
	}
	return sum.Percentiles()
}

// end makes sure that no worker is left.
func (f *fleet) end() {
	for _, m := range f.members {
		m.stdin.Close()
		if m.result == nil {
			_ = m.cmd.Process.Kill()
		}
	}
	deadline := time.After(commandTimeout)
	for _, m := range f.members {
		for !m.ended {
			select {
			case e := <-f.events:
				f.take(e)
			case <-deadline:
				_ = m.cmd.Process.Kill()
			}
		}
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	p  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p = append(t.p, p...)
	if excess := len(t.p) - stderrTail; excess > 0 {
		t.p = append(t.p[:0], t.p[excess:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.p))
}
