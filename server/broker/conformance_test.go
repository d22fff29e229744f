package broker_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
)

// conformance is what every broker must do, whatever joins it to others.
var conformance = map[string]func(t *testing.T, r rig){
	"not ready before Run":           notReadyBeforeRun,
	"in order, unchanged":            inOrder,
	"only channels subscribed to":    onlySubscribed,
	"unsubscribe ends it":            unsubscribe,
	"thousands of channels":          thousandsOfChannels,
	"any name":                       anyName,
	"positions count each message":   positionsCount,
	"a subscription starts once":     startsOnce,
	"publish later":                  publishLater,
	"history in pages":               historyPages,
	"history until":                  historyUntil,
	"too old":                        tooOld,
	"never known":                    neverKnown,
	"no history":                     noHistory,
	"slow receiver, with history":    slowReceiver,
	"slow receiver, without history": slowReceiverLoses,
	"blocked receiver, others go on": blockedReceiver,
}

// ofServers is what those must do besides that have a server between them: it can be reached past wsfleet, lose
// connections and crash.
var ofServers = map[string]func(t *testing.T, r rig){
	"past wsfleet":                    pastWsfleet,
	"connection lost, with history":   connectionLost,
	"connection lost, counted":        connectionLostCounted,
	"server crashes, with history":    serverCrashes,
	"server crashes, publish buffer":  serverCrashesBuffered,
	"server crashes, without history": serverCrashesCounted,
}

func TestConformance(t *testing.T) {
	for name, start := range rigs {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			for what, check := range conformance {
				t.Run(what, func(t *testing.T) { check(t, r) })
			}
			if !r.server() {
				return
			}
			for what, check := range ofServers {
				t.Run(what, func(t *testing.T) { check(t, r) })
			}
		})
	}
}

func notReadyBeforeRun(t *testing.T, r rig) {
	b := r.broker(t, nil)
	require.Error(t, b.Ready())
	run(t, b)
	require.NoError(t, b.Ready())
}

func inOrder(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	subscribe(t, b, in, "order")
	var want []string
	for i := range 1000 {
		want = append(want, fmt.Sprintf("%d \x00\xff", i))
		publish(t, b, "order", want[i])
	}
	in.await("order", want[len(want)-1])
	require.Equal(t, want, in.payloads("order"))
}

func onlySubscribed(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	subscribe(t, b, in, "wanted")
	publish(t, b, "other", "x")
	publish(t, b, "wanted", "y")
	in.await("wanted", "y")
	require.Empty(t, in.of("other"))
}

func unsubscribe(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	subscribe(t, b, in, "leaves")
	subscribe(t, b, in, "stays")
	b.Unsubscribe("leaves")
	b.Unsubscribe("leaves")
	b.Unsubscribe("never came")
	publish(t, b, "leaves", "late")
	publish(t, b, "stays", "here")
	in.await("stays", "here")
	require.Empty(t, in.of("leaves"))
	require.EqualValues(t, 1, b.Stats().Subscriptions.Load())
}

func thousandsOfChannels(t *testing.T, r rig) {
	const channels = 3000
	b := r.broker(t, func(c *broker.Config) {
		withHistory(10)(c)
		c.PublishBuffer = patience // a busy server may take its time for so many
	})
	in := run(t, b)
	name := func(i int) string { return "channel-" + strconv.Itoa(i) }
	for i := range channels {
		b.Subscribe(name(i))
		b.Subscribe(name(i))
	}
	require.EqualValues(t, channels, b.Stats().Subscriptions.Load())
	for i := range channels {
		require.Eventually(t, func() bool { return len(in.startsOf(name(i))) == 1 }, patience, time.Millisecond)
	}
	for m := range 3 {
		for i := range channels {
			require.NoError(t, b.PublishLater(name(i), []byte(strconv.Itoa(m)), nil))
		}
	}
	for i := range channels {
		in.await(name(i), "2")
		require.Equal(t, []string{"0", "1", "2"}, in.payloads(name(i)))
		require.Len(t, in.startsOf(name(i)), 1)
	}
}

func anyName(t *testing.T, r rig) {
	b := r.broker(t, withHistory(10))
	in := run(t, b)
	for _, name := range []string{"a name with spaces, ü", strings.Repeat("x", 1024), "{tag}", "a{tag}b", "new\nline", "\x00"} {
		since := subscribe(t, b, in, name)
		publish(t, b, name, "m")
		in.await(name, "m")
		page, _, err := b.History(t.Context(), name, since, position.Position{}, 10)
		require.NoError(t, err)
		require.Len(t, page, 1, name)
	}
}

func positionsCount(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	base := subscribe(t, b, in, "counted")
	for i := range 100 {
		p := publish(t, b, "counted", fmt.Sprint(i))
		require.Equal(t, position.Position{Epoch: base.Epoch, Offset: base.Offset + uint64(i) + 1}, p)
	}
	in.await("counted", "99")
	for i, m := range in.of("counted") {
		require.Equal(t, broker.Message{
			Channel: "counted", Payload: []byte(fmt.Sprint(i)),
			Position: position.Position{Epoch: base.Epoch, Offset: base.Offset + uint64(i) + 1},
		}, m)
	}
}

func startsOnce(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	for i := range 20 {
		subscribe(t, b, in, "again")
		b.Subscribe("again")
		publish(t, b, "again", fmt.Sprint(i))
		in.await("again", fmt.Sprint(i))
		require.Len(t, in.startsOf("again"), i+1)
		b.Unsubscribe("again")
		publish(t, b, "again", "perhaps unheard")
	}
	require.Zero(t, in.lost("again"))
}

func publishLater(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	base := subscribe(t, b, in, "later")
	positions := make(chan position.Position, 100)
	for i := range 100 {
		require.NoError(t, b.PublishLater("later", []byte(fmt.Sprint(i)), func(p position.Position, err error) {
			if err != nil {
				t.Error(err)
			}
			positions <- p
		}))
	}
	in.await("later", "99")
	require.Len(t, in.of("later"), 100)
	sum := uint64(0)
	for range 100 {
		sum += (<-positions).Offset - base.Offset
	}
	require.EqualValues(t, 5050, sum)
}

func pastWsfleet(t *testing.T, r rig) {
	b := r.broker(t, withHistory(10))
	in := run(t, b)
	since := subscribe(t, b, in, "past")
	r.past(t, "past", "hello")
	in.await("past", "hello")
	publish(t, b, "past", "ours")
	in.await("past", "ours")
	got := in.of("past")
	require.Len(t, got, 2)
	require.Equal(t, broker.Message{Channel: "past", Payload: []byte("hello")}, got[0])
	require.Equal(t, since.Offset+1, got[1].Position.Offset)
	page, _, err := b.History(t.Context(), "past", since, position.Position{}, 10)
	require.NoError(t, err)
	require.Len(t, page, 1, "it is in no history")
}

// A position of an epoch that nobody knows is too old on any channel: also on one where
// nothing was published yet, and where little was.
func neverKnown(t *testing.T, r rig) {
	b := r.broker(t, withHistory(10))
	in := run(t, b)
	subscribe(t, b, in, "never known")
	for range 3 {
		for _, offset := range []uint64{0, 1, 1000} {
			_, _, err := b.History(t.Context(), "never known", position.Position{Epoch: "another", Offset: offset}, position.Position{}, 10)
			require.ErrorIs(t, err, broker.ErrTooOld)
		}
		publish(t, b, "never known", "m")
	}
}
