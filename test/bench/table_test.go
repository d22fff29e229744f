package main

import (
	"strings"
	"testing"
)

func exampleBlock() *block {
	return &block{cell: cell{19_000, 4096}, rows: []*row{
		{name: "wsnode", runs: []figures{{idleMemory: 512, echoCPU: 20e-6}, {echoCPU: 22e-6}}},
		{name: "gws", runs: []figures{{idleMemory: 2048, echoCPU: 20e-6}}},
		{name: "nbio", runs: []figures{{idleMemory: 1024, echoCPU: 35e-6}}},
	}}
}

func TestPeerTable(t *testing.T) {
	var b strings.Builder
	peerTable(&b, exampleBlock())
	want := `
| server             | KiB a connection | CPU an echo    |
| ---                | ---:             | ---:           |
| wsnode             | 0.50             | 21.0 us        |
| gws                | 2.00             | 20.0 us        |
| nbio               | 1.00             | 35.0 us        |
| wsnode / best peer | 0.50 (nbio)      | **1.05** (gws) |
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

func TestScalingTable(t *testing.T) {
	var b strings.Builder
	scalingTable(&b, []*block{
		{cell: cell{1000, 128}, rows: []*row{{name: "1 loop", runs: []figures{{burstRate: 50_000, echoP99: 0.001}}}}},
		{cell: cell{5000, 128}, rows: []*row{{name: "1 loop"}}},
	})
	want := `
| loops  | connections | echoes/s, all at once |
| ---    | ---:        | ---:                  |
| 1 loop | 1,000       | 50000                 |
| 1 loop | 5,000       |                       |
`
	if got := "\n" + b.String(); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

// The document says where wsnode is not first, how it was made, and how sure it is.
func TestDocument(t *testing.T) {
	d := document{args: []string{"-root", "../..", "-rounds", "2", "-out", "x.md"}, rounds: 2, peers: []*block{exampleBlock()}}
	text := string(d.markdown())
	for _, want := range []string{
		"1 of 2 figures. It is not in: CPU an echo at 19,000 connections, messages of 4 KiB (1.05 of gws).",
		"`make bench BENCHFLAGS=\"-rounds 2\"`",
		"## 19,000 connections, messages of 4 KiB",
		"differs by 10 % in the median, by 10 % at the most",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	d.peers[0].rows = d.peers[0].rows[1:]
	if text := string(d.markdown()); strings.Contains(text, "best peer") {
		t.Errorf("there is no wsnode to compare:\n%s", text)
	}
}

func TestCommand(t *testing.T) {
	for want, args := range map[string]string{
		"make bench":             "-root ../.. -out x.md",
		"make bench PART=broker": "-part broker -out x.md",
		`make bench BENCHFLAGS="-part broker -rounds 1"`: "-rounds 1 -part broker",
	} {
		d := document{args: strings.Fields(args)}
		if got := d.command(); got != want {
			t.Errorf("%s: got %s, want %s", args, got, want)
		}
	}
}

// Each wsnode is held against the floor with as many threads.
func TestFloorTable(t *testing.T) {
	b := floorBlocks(config{floor: []cell{{19_000, 128}}, rounds: 1})[0]
	for i, cost := range []float64{8e-6, 10e-6, 10e-6, 15e-6} {
		b.rows[i].runs = []figures{{deliveryCPU: cost}}
	}
	var w strings.Builder
	floorTable(&w, []*block{b})
	want := `
| server              | connections | message | CPU a delivery | CPU a delivery / floor |
| ---                 | ---:        | ---:    | ---:           | ---:                   |
| write(2), 1 thread  | 19,000      | 128 B   | 8.0 us         | 1.00                   |
| wsnode, 1 loop      | 19,000      | 128 B   | 10.0 us        | 1.25                   |
| write(2), 2 threads | 19,000      | 128 B   | 10.0 us        | 1.00                   |
| wsnode, 2 loops     | 19,000      | 128 B   | 15.0 us        | 1.50                   |
`
	if got := "\n" + w.String(); got != want {
		t.Errorf("got%s\nwant%s", got, want)
	}
}

func TestText(t *testing.T) {
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1,000", 19_000: "19,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %q", n, got)
		}
	}
	for n, want := range map[int]string{128: "128 B", 4096: "4 KiB", 5000: "5000 B"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q", n, got)
		}
	}
}
