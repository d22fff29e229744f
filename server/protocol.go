//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/wsfleet/wsfleet/server/position"
)

const (
	// broadcastChannel reaches every connection of every node.
	broadcastChannel = "broadcast"
	// maxChannelName is the longest name of a channel, in bytes.
	maxChannelName = 256
	// maxChannels is how many channels one connection may be subscribed to.
	maxChannels = 10_000
)

// checkChannel says what is wrong with the name of a channel.
func checkChannel(name string) error {
	if len(name) == 0 || len(name) > maxChannelName {
		return fmt.Errorf("a channel's name has 1 to %d bytes, not %d", maxChannelName, len(name))
	}
	if !utf8.ValidString(name) {
		return errors.New("a channel's name is UTF-8, which this one is not")
	}
	return nil
}

// subscription is a channel that a client asks for.
type subscription struct {
	Channel string
	Since   position.Position // zero: from now on
}

// UnmarshalJSON reads "name" or {"channel":"name","since":"epoch:offset"}.
func (s *subscription) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &s.Channel)
	}
	var long struct{ Channel, Since string }
	if err := strictly(b, &long); err != nil {
		return err
	}
	s.Channel = long.Channel
	var err error
	s.Since, err = parseSince(long.Since)
	return err
}

// parseSince reads a position; none is from now on.
func parseSince(text string) (position.Position, error) {
	if text == "" {
		return position.Position{}, nil
	}
	return position.Parse(text)
}

// parseQuery reads what the URL of a client asks for: the channels beside broadcast,
// which comes first, and with since a connection that can be resumed.
func parseQuery(query url.Values) (wanted []subscription, resumable bool, err error) {
	names, since := query["channel"], query["since"]
	_, resumable = query["since"]
	if len(names) >= maxChannels {
		return nil, resumable, fmt.Errorf("%d channels: at most %d are allowed", len(names)+1, maxChannels)
	}
	wanted = make([]subscription, 1, len(names)+1)
	wanted[0].Channel = broadcastChannel
	fromNow := len(since) == 0 || len(since) == 1 && since[0] == ""
	if len(names) == 0 && len(since) == 1 {
		wanted[0].Since, err = parseSince(since[0])
		return wanted, true, err
	}
	if !fromNow && len(since) != len(names) {
		return nil, true, fmt.Errorf("%d since for %d channels: give one for each, or a single empty one", len(since), len(names))
	}
	for i, name := range names {
		if err := checkChannel(name); err != nil {
			return nil, resumable, err
		}
		s := subscription{Channel: name}
		if !fromNow {
			if s.Since, err = parseSince(since[i]); err != nil {
				return nil, true, fmt.Errorf("since of channel %.40q: %w", name, err)
			}
		}
		if name == broadcastChannel {
			wanted[0] = s
			continue
		}
		wanted = append(wanted, s)
	}
	return wanted, resumable, nil
}

// command is what a resumable client may say beside its messages.
type command struct {
	Subscribe   []subscription
	Unsubscribe []string
}

// commandPrefixes tell a command from a message.
var commandPrefixes = [][]byte{[]byte(`{"subscribe":`), []byte(`{"unsubscribe":`)}

func isCommand(text []byte) bool {
	return bytes.HasPrefix(text, commandPrefixes[0]) || bytes.HasPrefix(text, commandPrefixes[1])
}

func parseCommand(text []byte) (c command, err error) {
	if err := strictly(text, &c); err != nil {
		return c, fmt.Errorf("command %.40q: %w", text, err)
	}
	return c, nil
}

// strictly decodes JSON that holds nothing but what v has.
func strictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	if d.More() {
		return errors.New("text after its end")
	}
	return nil
}

// The answers to what a resumable client asks for.
type (
	// subscribed says that what follows on the channel comes after Position.
	subscribed struct {
		Channel   string `json:"subscribed"`
		Position  string `json:"position"`
		Recovered bool   `json:"recovered"`        // Position is the one that was asked for, if one was
		Reason    string `json:"reason,omitempty"` // why it is not
	}
	unsubscribed struct {
		Channel string `json:"unsubscribed"`
	}
	refused struct {
		Error   string `json:"error"`
		Channel string `json:"channel,omitempty"`
	}
)

// header goes before the payload of a message to a resumable client, on a line of
// its own.
type header struct {
	Channel  string `json:"channel"`
	Position string `json:"position,omitempty"` // none: published past wsfleet
	Lost     int64  `json:"lost,omitempty"`     // messages missing before this one; -1: nobody knows how many
}

// line returns v as JSON, without what would matter in HTML only.
func line(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("wsnode: encode %T: %v", v, err)) // strings and numbers only
	}
	return b.Bytes()
}
