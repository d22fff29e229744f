package memlimit

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// interval between looks at the memory.
	interval = time.Second
	// hurryAfter is how many calls of Refuse bring a look forward: a storm of
	// connections fills a small limit within the interval. The node asks twice for
	// each, so this many is half a mebibyte, their sockets included.
	hurryAfter = 256
	// trimEvery is how often memory that a burst left behind is looked for.
	trimEvery = 10 * time.Second
	// trimBytes is how much must have been allocated in trimEvery for it to be a
	// burst whose rest is worth a collection.
	trimBytes = 4 << 20
	// runtimeShare of the room goes to the Go heap: the rest is for the kernel
	// memory of sockets that come while the runtime is not yet told.
	runtimeShare = 0.9
)

// Marks say when a process should refuse more work, as parts of the limit in use.
type Marks struct {
	High float64 // refuse above
	Low  float64 // and until below
}

// Tuner keeps the runtime's soft limit at what the process may use, gives back what
// a burst left, and knows when memory is short.
type Tuner struct {
	marks Marks
	letGo func()
	room  atomic.Pointer[Room]
	short atomic.Bool
	asked atomic.Uint64 // calls of Refuse
	hurry chan struct{}
}

// NewTuner looks once, so that it has an answer from the start. Before memory is given
// back to the system, letGo is called: it drops what was only kept for speed.
func NewTuner(marks Marks, letGo func()) (*Tuner, error) {
	t := &Tuner{marks: marks, letGo: letGo, hurry: make(chan struct{}, 1)}
	return t, t.look()
}

// Room is what was seen last.
func (t *Tuner) Room() Room { return *t.room.Load() }

// Short reports whether memory is above the high mark, or was and is not yet below
// the low one. Safe from any goroutine.
func (t *Tuner) Short() bool { return t.short.Load() }

// Refuse is Short where it is asked because of a connection that comes: the memory is
// looked at more often in a storm of them. Safe from any goroutine.
func (t *Tuner) Refuse() bool {
	if t.asked.Add(1)%hurryAfter == 0 {
		select {
		case t.hurry <- struct{}{}:
		default: // the last one has not been heeded yet
		}
	}
	return t.Short()
}

// Nearly reports whether memory is above the low mark: time to be sent no more.
func (t *Tuner) Nearly() bool { return t.Short() || t.Room().Used() > t.marks.Low }

// Run looks every second, and when Refuse has it hurry, until ctx is done. A look that
// fails changes nothing.
func (t *Tuner) Run(ctx context.Context) error {
	look, trim := time.NewTicker(interval), time.NewTicker(trimEvery)
	defer look.Stop()
	defer trim.Stop()
	burst := trimmer{letGo: t.letGo}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			_ = t.look()
		case <-t.hurry:
			_ = t.look()
		case <-trim.C:
			burst.look()
		}
	}
}

func (t *Tuner) look() error {
	room, err := Read()
	if err != nil {
		return err
	}
	t.room.Store(&room)
	t.judge(room.Used())
	// GOMEMLIMIT, where somebody set it, is theirs.
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softLimit(room, Resident()))
	}
	return nil
}

// judge is a switch with two marks, so that it does not flutter.
func (t *Tuner) judge(used float64) {
	switch {
	case used > t.marks.High:
		t.short.Store(true)
	case used < t.marks.Low:
		t.short.Store(false)
	}
}

// softLimit is what the runtime may hold: what it has and its share of the rest.
func softLimit(room Room, resident uint64) int64 {
	return int64(min(uint64(float64(resident)+runtimeShare*float64(room.Free)), math.MaxInt64))
}

// Resident returns the process' resident memory in bytes, 0 if /proc does not tell.
func Resident() uint64 {
	b, _ := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseUint(fields[1], 10, 64)
	return pages * uint64(os.Getpagesize())
}

// trimmer gives back to the system what a burst left. The runtime would do it in its
// own time, which is minutes once nothing allocates any more and so nothing is
// collected.
type trimmer struct {
	letGo     func()
	allocated uint64 // in all, when last looked
	pending   bool   // there was a burst, and nothing was given back since
}

// look trims in the first quiet period after a busy one: while memory is in use, giving
// it back would only mean to take it again.
func (t *trimmer) look() {
	total := readMetric("/gc/heap/allocs:bytes")
	busy := total-t.allocated >= trimBytes
	t.allocated = total
	if busy {
		t.pending = true
	} else if t.pending {
		t.pending = false
		t.letGo()
		debug.FreeOSMemory()
	}
}

func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
