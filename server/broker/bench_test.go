package broker

import (
	"bufio"
	"context"
	"io"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
	"github.com/wsfleet/wsfleet/test/redistest"
)

// cpu returns what this process has used so far.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// redisCPU returns what the server has used so far.
func redisCPU(b *testing.B, server *redistest.Server) time.Duration {
	var sum float64
	for line := range strings.Lines(server.CLI(b, "INFO", "cpu")) {
		for _, name := range []string{"used_cpu_sys:", "used_cpu_user:"} {
			if s, found := strings.CutPrefix(line, name); found {
				n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
				require.NoError(b, err)
				sum += n
			}
		}
	}
	return time.Duration(sum * 1e9)
}

// BenchmarkPublish sends messages of 128 B, pipelined, to 100 channels. Beside the rate it
// says what CPU a message costs here and in Redis, which a busy machine changes less.
func BenchmarkPublish(b *testing.B) {
	server := redistest.Start(b)
	for name, length := range map[string]int{"history": 1000, "anchor": 0} {
		b.Run(name, func(b *testing.B) {
			r, err := NewRedis(Config{URL: server.URL, History: History{Length: length, Age: time.Minute}})
			require.NoError(b, err)
			ctx, cancel := context.WithCancel(context.Background())
			var wg sync.WaitGroup
			wg.Go(func() { _ = r.Run(ctx, nil) })
			defer wg.Wait()
			defer cancel()
			require.Eventually(b, func() bool { return r.Ready() == nil }, patience, time.Millisecond)
			payload := make([]byte, 128)
			var answers sync.WaitGroup
			here, there := cpu(b), redisCPU(b, server)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				answers.Add(1)
				for r.PublishLater("channel-"+strconv.Itoa(i%100), payload, func(position.Position, error) { answers.Done() }) != nil {
					time.Sleep(100 * time.Microsecond)
				}
			}
			answers.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64((cpu(b)-here).Nanoseconds())/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64((redisCPU(b, server)-there).Nanoseconds())/float64(b.N), "redis-cpu-ns/op")
			require.EqualValues(b, b.N, r.stats.Published.Load())
		})
	}
}

// sink counts what it is handed.
type sink struct{ got chan struct{} }

func (s sink) Start(string, position.Position) {}
func (s sink) Deliver(m Message) {
	if len(m.Payload) == 0 {
		close(s.got)
	}
}

// BenchmarkReceive takes messages of 128 B on 100 channels from the wire to the receiver,
// without the system calls that read them.
func BenchmarkReceive(b *testing.B) {
	const channels = 100
	var stats Stats
	in := newIntake(1<<40, &stats)
	for c := range channels {
		name := "channel-" + strconv.Itoa(c)
		in.control(event{kind: eventSubscribe, channel: name, number: 1})
		in.control(event{kind: eventAnchors, connection: 1, anchors: []anchor{{name, 1, header{Position: at("e", 0), start: 1}}}})
	}
	read, write := io.Pipe()
	go func() {
		payload := make([]byte, 128)
		w := bufio.NewWriterSize(write, 64<<10)
		for i := range b.N {
			if i == b.N-1 {
				payload = nil
			}
			m := appendWire(nil, header{Position: at("e", uint64(i/channels)+1), start: 1}, 0, payload)
			name := "channel-" + strconv.Itoa(i%channels)
			_, _ = w.WriteString("*3\r\n$7\r\nmessage\r\n$" + strconv.Itoa(len(name)) + "\r\n" + name + "\r\n$" + strconv.Itoa(len(m)) + "\r\n")
			_, _ = w.Write(append(m, "\r\n"...))
		}
		_ = w.Flush()
	}()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	done := sink{make(chan struct{})}
	wg.Go(func() { newSequencer(in, &stats, nil).run(ctx, done) })
	r := pushReader{r: bufio.NewReaderSize(read, readBuffer)}
	b.ReportAllocs()
	here := cpu(b)
	b.ResetTimer()
	for range b.N {
		m, err := r.next()
		require.NoError(b, err)
		in.message(1, m.channel, m.payload)
	}
	<-done.got
	b.StopTimer()
	b.ReportMetric(float64((cpu(b)-here).Nanoseconds())/float64(b.N), "cpu-ns/op")
	require.Zero(b, stats.Lost.Load()+stats.Dropped.Load())
}
