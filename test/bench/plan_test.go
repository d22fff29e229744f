package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func names(list []step) (s []string) {
	for _, st := range list {
		s = append(s, st.block.cell.String()+" "+st.kind.name+" "+st.row.name)
	}
	return s
}

// Servers take turns within a round, another one begins in the next, and heartbeats are
// measured once for each number of connections.
func TestSteps(t *testing.T) {
	blocks := peerBlocks(config{servers: []string{"wsnode", "gws"}, cells: []cell{{10, 128}, {10, 4096}}, rounds: 2})
	want := []string{
		"10x128 traffic wsnode", "10x128 traffic gws", "10x128 heartbeats wsnode", "10x128 heartbeats gws",
		"10x128 traffic gws", "10x128 traffic wsnode", "10x128 heartbeats gws", "10x128 heartbeats wsnode",
		"10x4096 traffic wsnode", "10x4096 traffic gws",
		"10x4096 traffic gws", "10x4096 traffic wsnode",
	}
	if got := names(steps(blocks)); !slices.Equal(got, want) {
		t.Errorf("steps are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		connections, repeats, broadcasts int
	}{{1, 3000, 10}, {1000, 3, 10}, {2999, 2, 10}, {3000, 1, 10}, {19_000, 1, 5}} {
		in := cell{c.connections, 128}
		if repeats(in) != c.repeats || broadcasts(in) != c.broadcasts {
			t.Errorf("%v: %d repeats, %d broadcasts; want %d, %d", in, repeats(in), broadcasts(in), c.repeats, c.broadcasts)
		}
		if rate := broadcastsPerSecond(in) * float64(c.connections); rate > deliveryRate+1 {
			t.Errorf("%v: %.0f deliveries a second", in, rate)
		}
	}
}

// fake is a kind of measurement with known outcomes, one for each try, the last for all
// that come after it.
func fake(outcomes ...any) kind {
	return kind{"fake", func(context.Context, *runner, setup, *block) (figures, error) {
		o := outcomes[0]
		outcomes = outcomes[min(1, len(outcomes)-1):]
		if err, ok := o.(error); ok {
			return nil, err
		}
		return figures{echoCPU: o.(float64)}, nil
	}, func(*block) time.Duration { return time.Second }}
}

// disturbed is a runner on a machine that is disturbed so much, one figure for each try.
func disturbed(shares ...float64) *runner {
	return &runner{watch: func() func() float64 {
		return func() float64 {
			share := shares[0]
			shares = shares[min(1, len(shares)-1):]
			return share
		}
	}}
}

// A disturbed measurement is made once more, and the less disturbed of both counts.
func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		shares []float64
		want   float64 // the number of the try
	}{
		{[]float64{0}, 1},
		{[]float64{0.5, 0.4, 0}, 2},
		{[]float64{0.5, 0.6, 0}, 1},
	} {
		s := step{block: &block{}, row: &row{}, kind: fake(1., 2., 3.)}
		f := measure(t.Context(), disturbed(c.shares...), newProgress(io.Discard), s)
		if f[echoCPU] != c.want || f[disturbance] != c.shares[int(c.want)-1] {
			t.Errorf("%v: got %v, want try %v", c.shares, f, c.want)
		}
	}
}

// A measurement that fails in every try is left out, and the others go on.
func TestRunAllGoesOn(t *testing.T) {
	no := errors.New("wsload: no")
	b := &block{kinds: []kind{fake(no, no, no, 5.)}, rounds: 2, rows: []*row{{name: "a"}}}
	var said strings.Builder
	if err := runAll(t.Context(), disturbed(0), newProgress(&said), []*block{b}); err != nil {
		t.Fatal(err)
	}
	if got := medians(b.rows[0].runs); len(b.rows[0].runs) != 1 || got[echoCPU] != 5 {
		t.Errorf("runs are %v", b.rows[0].runs)
	}
	if !strings.Contains(said.String(), "wsload: no") {
		t.Errorf("it does not say what failed:\n%s", said.String())
	}
}

func TestRunAllEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b := &block{kinds: []kind{fake(1.)}, rounds: 1, rows: []*row{{name: "a"}}}
	if err := runAll(ctx, disturbed(0), newProgress(io.Discard), []*block{b}); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestProgress(t *testing.T) {
	now := time.Unix(0, 0)
	p := &progress{w: io.Discard, now: func() time.Time { return now }, start: now, planned: 10 * time.Minute}
	if p.left() != 10*time.Minute {
		t.Errorf("%s left at the start", p.left())
	}
	now = now.Add(2 * time.Minute)
	p.end(time.Minute) // it took twice as long
	if p.left() != 18*time.Minute {
		t.Errorf("%s left, want 18m", p.left())
	}
	if got := clock(p.left() - time.Second/2); got != "18:00" {
		t.Errorf("shown as %q", got)
	}
}

func TestBusySeconds(t *testing.T) {
	if got := busySeconds("cpu  100 9999 50 9999 999 7 13 30 5 5"); got != 2 {
		t.Errorf("%v s, want 2", got)
	}
}
