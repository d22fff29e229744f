package broker

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/position"
)

// script is a hook that answers pipelines in place of a server.
type script struct {
	mu    sync.Mutex // guards the following
	sent  [][]string // channel/payload of each pipeline, in order
	reply func(try int, cmds []redis.Cmder)
}

func (*script) DialHook(next redis.DialHook) redis.DialHook { return next }

func (*script) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(context.Context, redis.Cmder) error { return nil } // FUNCTION LOAD
}

func (s *script) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		var sent []string
		for i, c := range cmds {
			args := c.Args()
			keys := args[2].(int)
			sent = append(sent, args[3+keys].(string)+"/"+string(args[4+keys].([]byte)))
			c.(*redis.Cmd).SetVal("e:" + strconv.Itoa(i+1))
		}
		s.sent = append(s.sent, sent)
		s.reply(len(s.sent), cmds)
		for _, c := range cmds {
			if c.Err() != nil {
				return c.Err()
			}
		}
		return nil
	}
}

// serverSays is an error as go-redis returns those of a server.
type serverSays string

func (e serverSays) Error() string { return string(e) }
func (serverSays) RedisError()     {}

// results are what callers were told, by payload.
type results struct {
	mu  sync.Mutex
	all map[string]error
	wg  sync.WaitGroup
}

// scripted returns an outbox whose server answers by reply. run has it send.
func scripted(t *testing.T, buffer time.Duration, reply func(try int, cmds []redis.Cmder)) (*outbox, *script, func()) {
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	s := &script{reply: reply}
	client.AddHook(s)
	o := newOutbox(client, "test", nil, Config{PublishBuffer: buffer}, &backlog{}, &Stats{})
	return o, s, func() {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			o.run(ctx)
		}()
		t.Cleanup(func() {
			cancel()
			<-done
		})
	}
}

func (r *results) put(t *testing.T, o *outbox, channel, payload string, within time.Duration) {
	t.Helper()
	r.wg.Add(1)
	require.NoError(t, o.put(&call{
		channel: channel, payload: []byte(payload), deadline: time.Now().Add(within),
		done: func(_ position.Position, err error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.all == nil {
				r.all = make(map[string]error)
			}
			r.all[payload] = err
			r.wg.Done()
		},
	}))
}

func TestWhatWaitsGoesOutTogether(t *testing.T) {
	o, s, run := scripted(t, 0, func(int, []redis.Cmder) {})
	var r results
	for i := range batchMessages + 10 {
		r.put(t, o, "a", strconv.Itoa(i), time.Minute)
	}
	require.EqualValues(t, batchMessages+10, o.stats.Publishing.Load())
	run()
	r.wg.Wait()
	require.Len(t, s.sent, 2)
	require.Len(t, s.sent[0], batchMessages)
	require.Equal(t, "a/0", s.sent[0][0])
	require.Equal(t, "a/"+strconv.Itoa(batchMessages), s.sent[1][0])
	require.EqualValues(t, batchMessages+10, o.stats.Published.Load())
	require.Zero(t, o.stats.Publishing.Load())
}

func TestBatchIsBoundedInBytes(t *testing.T) {
	o, s, run := scripted(t, 0, func(int, []redis.Cmder) {})
	var r results
	for range 3 {
		r.put(t, o, "a", strings.Repeat("x", batchBytes*2/3), time.Minute)
	}
	run()
	r.wg.Wait()
	require.Len(t, s.sent, 3)
}

func TestOutboxIsBounded(t *testing.T) {
	o, _, _ := scripted(t, 0, nil)
	var r results
	for range outboxMessages {
		r.put(t, o, "a", "x", time.Minute)
	}
	require.ErrorIs(t, o.put(&call{channel: "a"}), ErrBusy)
	require.EqualValues(t, 1, o.stats.PublishErrors.Load())

	o, _, _ = scripted(t, 0, nil)
	large := strings.Repeat("x", outboxBytes)
	r.put(t, o, "a", large+"x", time.Minute)
	require.ErrorIs(t, o.put(&call{channel: "a", payload: []byte("x")}), ErrBusy)
}

func TestEachCallerGetsItsOwnAnswer(t *testing.T) {
	o, s, run := scripted(t, 0, func(_ int, cmds []redis.Cmder) {
		cmds[1].SetErr(serverSays("WRONGTYPE it is a string"))
		cmds[2].SetErr(errors.New("connection reset"))
	})
	var r results
	for _, m := range []string{"0", "1", "2"} {
		r.put(t, o, "channel "+m, m, time.Minute)
	}
	run()
	r.wg.Wait()
	require.Len(t, s.sent, 1, "without a buffer nothing is repeated")
	require.NoError(t, r.all["0"])
	require.EqualError(t, r.all["1"], "redis test: publish: WRONGTYPE it is a string")
	require.NotErrorIs(t, r.all["1"], errUnknown)
	require.ErrorIs(t, r.all["2"], errUnknown)
	require.EqualValues(t, 1, o.stats.Published.Load())
	require.EqualValues(t, 2, o.stats.PublishErrors.Load())
}

func TestMissingLibraryIsLoaded(t *testing.T) {
	o, s, run := scripted(t, 0, func(try int, cmds []redis.Cmder) {
		if try == 1 {
			// Another node loads it in the midst of this batch.
			cmds[0].SetErr(serverSays("ERR Function not found"))
			cmds[1].SetErr(serverSays("ERR Function not found"))
			cmds[2].SetErr(serverSays("ERR Function not found"))
		}
	})
	var r results
	for _, m := range []string{"a/0", "a/1", "b/2", "b/3"} {
		channel, _, _ := strings.Cut(m, "/")
		r.put(t, o, channel, m, time.Minute)
	}
	run()
	r.wg.Wait()
	require.Equal(t, [][]string{{"a/a/0", "a/a/1", "b/b/2", "b/b/3"}, {"a/a/0", "a/a/1"}}, s.sent)
	require.NoError(t, errors.Join(r.all["a/0"], r.all["a/1"], r.all["b/3"]))
	require.ErrorIs(t, r.all["b/2"], errLate, "it would come after b/3")
}

func TestLibraryThatCantBeLoaded(t *testing.T) {
	o, s, run := scripted(t, 0, func(_ int, cmds []redis.Cmder) { cmds[0].SetErr(serverSays("ERR Function not found")) })
	var r results
	r.put(t, o, "a", "0", time.Minute)
	run()
	r.wg.Wait()
	require.ErrorContains(t, r.all["0"], "Function not found")
	require.Len(t, s.sent, 2)
}

func TestBufferedMessagesAreRepeatedInOrder(t *testing.T) {
	var ids [][]string
	o, s, run := scripted(t, time.Minute, func(try int, cmds []redis.Cmder) {
		var batch []string
		for _, c := range cmds {
			batch = append(batch, c.Args()[4].(string))
		}
		ids = append(ids, batch)
		switch try {
		case 1:
			for _, c := range cmds {
				c.SetErr(errors.New("connection reset"))
			}
		case 2:
			cmds[1].SetErr(serverSays("LOADING Redis is loading the dataset in memory"))
			cmds[2].SetErr(serverSays("WRONGTYPE it is a string"))
		}
	})
	var r results
	for _, m := range []string{"0", "1", "2"} {
		r.put(t, o, "channel "+m, m, time.Minute)
	}
	run()
	r.wg.Wait()
	require.Equal(t, [][]string{{"channel 0/0", "channel 1/1", "channel 2/2"}, {"channel 0/0", "channel 1/1", "channel 2/2"}, {"channel 1/1"}}, s.sent)
	require.Equal(t, ids[0], ids[1], "a repeat has the id of the first try")
	require.Equal(t, ids[0][1], ids[2][0])
	require.NoError(t, errors.Join(r.all["0"], r.all["1"]))
	require.ErrorContains(t, r.all["2"], "WRONGTYPE")
}

func TestBufferedMessagesExpire(t *testing.T) {
	o, _, run := scripted(t, time.Minute, func(_ int, cmds []redis.Cmder) {
		for _, c := range cmds {
			c.SetErr(errors.New("connection refused"))
		}
	})
	var r results
	for i := range batchMessages + 10 { // in the batch, and behind it in the queue
		r.put(t, o, "a", strconv.Itoa(i), 10*time.Millisecond)
	}
	run()
	r.wg.Wait()
	for _, err := range r.all {
		require.ErrorIs(t, err, errWaited)
		require.ErrorContains(t, err, "connection refused")
	}
	require.Eventually(t, func() bool { return o.stats.Publishing.Load() == 0 && len(o.take()) == 0 }, patience, time.Millisecond)
}

func TestCallerWhoNoLongerWaits(t *testing.T) {
	o, s, run := scripted(t, 0, func(int, []redis.Cmder) {})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := o.publish(ctx, &call{channel: "a", payload: []byte("0"), deadline: time.Now().Add(time.Minute)})
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, errUnknown)
	var r results
	r.put(t, o, "a", "1", time.Minute)
	run()
	r.wg.Wait()
	require.Equal(t, [][]string{{"a/1"}}, s.sent)
}

func TestClosedOutboxRefuses(t *testing.T) {
	o, _, _ := scripted(t, 0, nil)
	var r results
	r.put(t, o, "a", "0", time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.run(ctx)
	r.wg.Wait()
	require.ErrorIs(t, r.all["0"], errNotRunning)
	require.ErrorIs(t, o.put(&call{channel: "a"}), errNotRunning)
}

func TestClusterRefusesBraces(t *testing.T) {
	o, _, _ := scripted(t, 0, nil)
	o.shards = newShards(redis.UniversalOptions{})
	require.ErrorIs(t, o.put(&call{channel: "a}b"}), errBraces)
}
