//go:build linux

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/presence"
	"github.com/wsfleet/wsfleet/test/redistest"
)

func (n *testNode) channels(query string) (answer channelsAnswer, status int, text string) {
	n.t.Helper()
	resp, err := http.Get(n.admin + "/channels?" + query)
	require.NoError(n.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(n.t, err)
	if resp.StatusCode == http.StatusOK {
		require.NoError(n.t, json.Unmarshal(body, &answer))
	}
	return answer, resp.StatusCode, string(body)
}

// Each node tells what all of the fleet have together.
func TestChannelsOfTheFleet(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, "-broker", redis.URL), startNode(t, "-broker", redis.URL)
	a.dial("?channel=room-1&channel=room-2")
	b.dial("?channel=room-1")
	l := b.listen("since=")
	l.joined("broadcast")
	l.say(`{"subscribe":["a room"]}`)
	l.joined("a room")
	for _, n := range []*testNode{a, b} {
		require.Eventually(t, func() bool {
			answer, status, _ := n.channels("channel=room-1&channel=room-2&channel=nobody&channel=a+room")
			return status == http.StatusOK && answer.Fleet == presence.Fleet{Nodes: 2, Connections: 3} &&
				len(answer.Channels) == 4 && answer.Channels[0] == presence.Count{Channel: "room-1", Connections: 2} &&
				answer.Channels[1] == presence.Count{Channel: "room-2", Connections: 1} &&
				answer.Channels[2].Connections == 0 &&
				answer.Channels[3].Connections == 1
		}, 20*time.Second, 50*time.Millisecond)
		answer, _, _ := n.channels("prefix=room-&limit=1")
		require.Equal(t, []presence.Count{{Channel: "room-1", Connections: 2}}, answer.Channels)
		require.True(t, answer.More)
		answer, _, _ = n.channels("")
		require.Len(t, answer.Channels, 4, "broadcast too")
		require.False(t, answer.More)
		require.EqualValues(t, 2, n.metric("wsnode_fleet_nodes"))
		require.EqualValues(t, 3, n.metric("wsnode_fleet_connections"))
		require.EqualValues(t, 1, n.metric("wsnode_presence_up"))
	}
	require.EqualValues(t, 3, a.metric("wsnode_channels"))
}

func TestChannelsOfOneNode(t *testing.T) {
	n := startNode(t)
	answer, _, _ := n.channels("prefix=x")
	require.Equal(t, channelsAnswer{Fleet: presence.Fleet{Nodes: 1}, Channels: []presence.Count{}}, answer)
	n.dial("?channel=a")
	require.Eventually(t, func() bool {
		answer, _, _ := n.channels("channel=a")
		return answer.Channels[0].Connections == 1 && answer.Fleet.Connections == 1
	}, waitFor, poll)
	for query, want := range map[string]string{
		"limit=0":            `limit "0": want 1 to 1000`,
		"limit=x":            `limit "x": want 1 to 1000`,
		"channel=":           `channel "": a channel's name has 1 to 256 bytes, not 0`,
		"channel=a&prefix=b": "give one of them",
		strings.Repeat("channel=a&", channelsLimit+1): "at most 1000",
	} {
		_, status, text := n.channels(query)
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, text, want)
	}
}
