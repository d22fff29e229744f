package live

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

func pointer(v float64) *float64 { return &v }

// busy is a run in the middle of everything.
func busy() Status {
	times := report.PointTimes{P50: 0.000085, P90: 0.001, P99: 0.0021, Max: 0.25}
	return Status{
		Phase: "broadcast", Elapsed: 42 * time.Second, Planned: 19000, Rate: 2000, Required: 38000,
		Total: &report.Counts{
			Started: 9512, Open: 9500, Connected: 9502, Failed: 10,
			Failures: report.Classes{"dial.timeout": 7, "handshake.http_503": 1, "handshake.eof": 1, "dial.reset": 1},
			Closed:   report.Classes{"code_1012": 2},
			Echo:     report.EchoCounts{Sent: 9000, OK: 8990, Timeout: 2},
			Broadcast: report.BroadcastCounts{
				Listeners: 9500, Delivered: 37990, Duplicated: 3,
			},
		},
		Second: report.Point{
			Interval: 1, Started: 2000, Connected: 1998, Connect: times,
			Echo: report.PointEcho{OK: 1500, PointTimes: times}, Broadcast: report.PointBroadcast{Delivered: 19000, PointTimes: times},
			Generator: report.ProcessUse{MemoryBytes: 17.3 * 1024 * 1024, CPU: 0.424},
			Nodes: []*report.NodeUse{
				{MemoryBytes: pointer(20 << 20), CPU: pointer(0.5), Connections: pointer(4750)},
				{MemoryBytes: pointer(22 << 20), CPU: pointer(0.25), Connections: pointer(4750)},
				nil,
			},
		},
	}
}

func TestView(t *testing.T) {
	require.Equal(t, strings.TrimPrefix(`
wsload  broadcast  0:42
connections █████████████████████████░░░░░░░░░░░░░░░░░░░░░░░░░ 9,500 of 19,000
            +1,998/s of 2,000/s · 10 failed · 2 closed
            dial.timeout 7 · closed.code_1012 2 · dial.reset 1 · handshake.eof 1 · 1 more
connect     p50 85µs  p99 2.1ms  max 250ms
echo        8,990 of 9,000 right · 2 wrong or missing · 1,500/s · p50 85µs  p99 2.1ms  max 250ms
broadcast   37,990 of 38,000 delivered · 10 outstanding · 3 wrong · p50 85µs  p99 2.1ms  max 250ms
generator   17.3 MiB · 0.42 cores
servers     42.0 MiB · 0.75 cores · 9,500 connections · no metrics of 1 of 3`, "\n"), ansi.Strip(View(busy(), 120)))
}

func TestViewOfABeginning(t *testing.T) {
	require.Equal(t, strings.TrimPrefix(`
wsload  ramp  0:00
connections ░░░░░░░░░░░░░░░░░░░░░░░░ 0 of 100
            0 failed · 0 closed
generator   0 B · 0.00 cores`, "\n"), ansi.Strip(View(Status{Phase: "ramp", Planned: 100, Total: &report.Counts{}}, 45)))
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	for _, width := range []int{40, 61, 80, 200} {
		for _, line := range strings.Split(View(busy(), width), "\n") {
			require.LessOrEqual(t, ansi.StringWidth(line), width)
		}
	}
	require.NotPanics(t, func() { View(busy(), 0) })
}

func TestBar(t *testing.T) {
	for share, want := range map[float64]string{
		-1: "░░░░░░░░░░", 0: "░░░░░░░░░░", 0.05: "▌░░░░░░░░░", 0.1: "█░░░░░░░░░", 0.5: "█████░░░░░", 0.99: "█████████▉", 1: "██████████", 2: "██████████",
	} {
		require.Equal(t, want, bar(share, 10), "%g", share)
	}
}

func TestLine(t *testing.T) {
	require.Equal(t, "   42.0s broadcast connected 9500/19000 +1998/s failed 10 closed 2 | echo 8990/9000 p50 85µs p99 2.1ms | broadcast 37990/38000", Line(busy()))
	require.Equal(t, "    0.0s ramp      connected 0/100 failed 0", Line(Status{Phase: "ramp", Planned: 100, Total: &report.Counts{}}))
}

// terminal is an emulated one, and what programs write to.
func terminal(t *testing.T, columns, rows int) (vt10x.Terminal, *os.File) {
	t.Helper()
	t.Setenv("TERM", "xterm-256color")
	master, tty, err := pty.Open()
	require.NoError(t, err)
	require.NoError(t, pty.Setsize(tty, &pty.Winsize{Rows: uint16(rows), Cols: uint16(columns)}))
	screen := vt10x.New(vt10x.WithSize(columns, rows))
	done := make(chan struct{})
	go func() {
		defer close(done)
		p := make([]byte, 4096)
		for {
			n, err := master.Read(p)
			_, _ = screen.Write(p[:n])
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		tty.Close()
		master.Close()
		<-done
	})
	return screen, tty
}

func lines(screen vt10x.Terminal) []string {
	var all []string
	for _, line := range strings.Split(screen.String(), "\n") {
		all = append(all, strings.TrimRight(line, " "))
	}
	return all
}

// The view is redrawn in place, lines printed stand above it, and at the end only
// they are left.
func TestDisplayOnATerminal(t *testing.T) {
	screen, tty := terminal(t, 100, 24)
	d := Open(tty)
	shows := func(want ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			got := lines(screen)
			return strings.Join(got[:len(want)], "\n") == strings.Join(want, "\n")
		}, 20*time.Second, 10*time.Millisecond, "want\n%s\ngot\n%s", lazy(func() string { return strings.Join(want, "\n") }), lazy(func() string { return screen.String() }))
	}
	d.Print("phase: ramp planned=19000")
	s := busy()
	s.Phase = "ramp"
	d.Show(s)
	view := func(s Status) []string { return strings.Split(ansi.Strip(View(s, 100)), "\n") }
	shows(append([]string{"phase: ramp planned=19000"}, view(s)...)...)
	d.Print("phase: broadcast connected=9500")
	s = busy()
	s.Total.Failures, s.Total.Closed = nil, nil // a line less
	d.Show(s)
	shows(append([]string{"phase: ramp planned=19000", "phase: broadcast connected=9500"}, append(view(s), "")...)...)
	require.True(t, screen.CursorVisible())
	d.Close()
	shows("phase: ramp planned=19000", "phase: broadcast connected=9500", "", "", "", "", "", "", "", "", "")
	require.True(t, screen.CursorVisible())
}

type lazy func() string

func (f lazy) String() string { return f() }

// A terminal that takes nothing any more, as after Ctrl-S, holds nobody up.
func TestDisplayOnATerminalThatStandsStill(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	master, tty, err := pty.Open() // nobody reads
	require.NoError(t, err)
	d := Open(tty)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 2000 {
			d.Print(strings.Repeat("x", 100))
			d.Show(busy())
		}
		d.Close()
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Error("the display waits for the terminal")
	}
	master.Close()
	tty.Close()
}
