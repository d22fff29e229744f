package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

const (
	// connectRate is connections a second, echoRate echoes: some half of what two
	// cores do, so that latencies are those of a server that keeps up.
	connectRate = 5000
	echoRate    = 4000
	// deliveryRate bounds deliveries a second for the same reason, broadcastRate
	// broadcasts.
	deliveryRate  = 30_000
	broadcastRate = 20
	// wantedEchoes is how many echoes and connections a figure rests on at least: with
	// few connections, wsload runs more than once against the same server.
	wantedEchoes = 3000
	// settleTime is idle time before memory is read. The runtime gives back nothing
	// that it would not give back in production.
	settleTime = 3 * time.Second
	// heartbeat is the interval of pings, as short as it is to have many of them;
	// heartbeatTime is how long they are counted.
	heartbeat     = time.Second
	heartbeatTime = 5 * time.Second
	// overhead of starting a server and wsload and ending both.
	overhead = 1200 * time.Millisecond
	// burstSends is the pace of echo requests that are meant to be sent at once.
	burstSends = 1_000_000
)

// kind is one way of measuring a server in a cell.
type kind struct {
	name  string
	run   func(context.Context, *runner, setup, *block) (figures, error)
	takes func(*block) time.Duration // about
}

var (
	traffic = kind{"traffic", measureTraffic, func(b *block) time.Duration {
		c := b.cell
		once := overhead + per(c.connections, connectRate) + per(c.connections, echoRate) + per(broadcasts(c), broadcastsPerSecond(c))
		return time.Duration(repeats(c))*once + settleTime
	}}
	heartbeats = kind{"heartbeats", measureHeartbeats, func(b *block) time.Duration {
		c := b.cell
		return overhead + per(c.connections, connectRate) + heartbeat + heartbeatTime
	}}
	deliveries = kind{"deliveries", measureDeliveries, func(b *block) time.Duration {
		c := b.cell
		return overhead + per(c.connections, connectRate) + per(floorBroadcasts(c), broadcastsPerSecond(c))
	}}
	talking = kind{"talk", measureTalk, func(*block) time.Duration {
		return 2 * (overhead + 2*time.Second + talkTime)
	}}
	burst = kind{"burst", measureBurst, func(b *block) time.Duration {
		c := b.cell
		return time.Duration(repeats(c)) * (overhead + per(c.connections, connectRate))
	}}
)

func per[R int | float64](n int, rate R) time.Duration {
	return time.Duration(float64(n) / float64(rate) * float64(time.Second))
}

func repeats(c cell) int { return (wantedEchoes + c.connections - 1) / c.connections }

// broadcasts to all connections: some 100,000 deliveries, if that is neither too few
// nor too many of them.
func broadcasts(c cell) int { return min(max(100_000/c.connections, 5), 10) }

func broadcastsPerSecond(c cell) float64 {
	return min(deliveryRate/float64(c.connections), broadcastRate)
}

func connectArgs(c cell) []string {
	return []string{"-a", strconv.Itoa(c.connections), "-c", strconv.Itoa(connectRate)}
}

// measureTraffic connects, lets every connection echo, broadcasts to all, and lets them
// idle, without heartbeats.
func measureTraffic(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	c := b.cell
	srv, err := r.start(ctx, s, 0)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	f := figures{}
	ended := func(phase string) error {
		cpu := srv.lap()
		switch phase {
		case "ramp":
			f[connectCPU] += cpu / float64(repeats(c)*c.connections)
		case "echo":
			f[echoCPU] += cpu / float64(repeats(c)*c.connections)
		case "broadcast":
			f[deliveryCPU] += cpu / float64(repeats(c)*c.connections*broadcasts(c))
		case "hold":
			f[idleMemory] = srv.memory() / float64(c.connections)
		}
		return nil
	}
	args := append(connectArgs(c), "-echo-size", strconv.Itoa(c.size), "-echo-rate", strconv.Itoa(echoRate),
		"-broadcasts", strconv.Itoa(broadcasts(c)), "-broadcast-size", strconv.Itoa(c.size),
		"-broadcast-rate", strconv.FormatFloat(broadcastsPerSecond(c), 'f', 2, 64),
		"-publish", "http://"+adminAddr+"/publish?channel=broadcast")
	var p50, p99 []float64
	for i := range repeats(c) {
		if i == repeats(c)-1 {
			args = append(args, "-hold", settleTime.String())
		}
		rep, err := r.load(ctx, ended, args...)
		if err != nil {
			return nil, err
		}
		p50, p99 = append(p50, rep.Echo.P50), append(p99, rep.Echo.P99)
	}
	f[echoP50], f[echoP99] = median(p50), median(p99)
	return f, nil
}

// measureHeartbeats lets connections idle while the server pings them. The server counts
// what came back, wsload vouches for it.
func measureHeartbeats(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	c := b.cell
	srv, err := r.start(ctx, s, heartbeat)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	var before, after, cpu float64
	ended := func(phase string) (err error) {
		switch phase {
		case "ramp":
			time.Sleep(heartbeat) // until all are pinged, and the ramp is forgotten
			before, err = srv.heartbeats()
			srv.lap()
		case "hold":
			cpu = srv.lap()
			after, err = srv.heartbeats()
		}
		return err
	}
	args := append(connectArgs(c), "-echo=false", "-hold", (heartbeat + heartbeatTime).String())
	rep, err := r.load(ctx, ended, args...)
	switch {
	case err != nil:
		return nil, err
	case after <= before:
		return nil, errors.New("no ping was answered")
	case after > float64(rep.Pings):
		return nil, fmt.Errorf("the server counted %.0f answers to pings, wsload answered %d", after, rep.Pings)
	}
	return figures{heartbeatCPU: cpu / (after - before)}, nil
}

// measureBurst lets all connections send at once: what server and client together can.
func measureBurst(ctx context.Context, r *runner, s setup, b *block) (figures, error) {
	c := b.cell
	srv, err := r.start(ctx, s, 0)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	f := figures{}
	ended := func(phase string) error {
		cpu := srv.lap()
		if phase == "echo" {
			f[burstCPU] += cpu / float64(repeats(c)*c.connections)
		}
		return nil
	}
	// That the client can't send as fast is the point.
	args := append(connectArgs(c), "-echo-size", strconv.Itoa(c.size), "-echo-rate", strconv.Itoa(burstSends), "-expect", "generator.behind >= 0")
	var rates []float64
	for range repeats(c) {
		rep, err := r.load(ctx, ended, args...)
		if err != nil {
			return nil, err
		}
		rates = append(rates, float64(c.connections)/(rep.Echo.Max+float64(c.connections)/burstSends))
	}
	f[burstRate] = median(rates)
	return f, nil
}
