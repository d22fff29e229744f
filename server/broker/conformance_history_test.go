package broker_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/broker"
	"github.com/wsfleet/wsfleet/server/position"
)

func historyPages(t *testing.T, r rig) {
	b := r.broker(t, withHistory(1000))
	in := run(t, b)
	since := subscribe(t, b, in, "pages")
	for i := range 100 {
		publish(t, b, "pages", fmt.Sprint(i))
	}
	in.await("pages", "99")
	var all []broker.Message
	for at, more := since, true; more; {
		var page []broker.Message
		var err error
		page, more, err = b.History(t.Context(), "pages", at, position.Position{}, 7)
		require.NoError(t, err)
		require.NotEmpty(t, page)
		require.LessOrEqual(t, len(page), 7)
		all = append(all, page...)
		at = page[len(page)-1].Position
	}
	require.Equal(t, in.of("pages"), all)

	page, more, err := b.History(t.Context(), "pages", all[99].Position, position.Position{}, 7)
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, page)
}

func historyUntil(t *testing.T, r rig) {
	b := r.broker(t, withHistory(1000))
	in := run(t, b)
	since := subscribe(t, b, in, "until")
	for i := range 20 {
		publish(t, b, "until", fmt.Sprint(i))
	}
	in.await("until", "19")
	all := in.of("until")
	for _, n := range []int{1, 5, 20} {
		page, more, err := b.History(t.Context(), "until", since, all[n-1].Position, 100)
		require.NoError(t, err)
		require.False(t, more)
		require.Equal(t, all[:n], page)
	}
	page, more, err := b.History(t.Context(), "until", since, all[9].Position, 5)
	require.NoError(t, err)
	require.True(t, more)
	require.Equal(t, all[:5], page)

	page, more, err = b.History(t.Context(), "until", all[9].Position, all[9].Position, 5)
	require.NoError(t, err)
	require.False(t, more)
	require.Empty(t, page)

	future := position.Position{Epoch: since.Epoch, Offset: since.Offset + 21}
	_, _, err = b.History(t.Context(), "until", since, future, 100)
	require.ErrorIs(t, err, broker.ErrTooOld, "what was asked for is not there")
}

func tooOld(t *testing.T, r rig) {
	b := r.broker(t, withHistory(5))
	in := run(t, b)
	since := subscribe(t, b, in, "old")
	for i := range 20 {
		publish(t, b, "old", fmt.Sprint(i))
	}
	at := func(n uint64) position.Position {
		return position.Position{Epoch: since.Epoch, Offset: since.Offset + n}
	}
	page, _, err := b.History(t.Context(), "old", at(15), position.Position{}, 10)
	require.NoError(t, err)
	require.Len(t, page, 5)
	for _, p := range []position.Position{since, at(14), {Epoch: "unknown", Offset: 17}} {
		_, _, err := b.History(t.Context(), "old", p, position.Position{}, 10)
		require.ErrorIs(t, err, broker.ErrTooOld, p)
		require.ErrorContains(t, err, p.String())
		require.ErrorContains(t, err, at(16).String(), "where it starts")
	}
	_, _, err = b.History(t.Context(), "never used", at(1), position.Position{}, 10)
	require.ErrorIs(t, err, broker.ErrTooOld)
}

func noHistory(t *testing.T, r rig) {
	b := r.broker(t, nil)
	in := run(t, b)
	since := subscribe(t, b, in, "none")
	page, more, err := b.History(t.Context(), "none", since, position.Position{}, 10)
	require.NoError(t, err, "nothing came after it")
	require.Empty(t, page)
	require.False(t, more)
	last := publish(t, b, "none", "x")
	_, _, err = b.History(t.Context(), "none", since, position.Position{}, 10)
	require.ErrorIs(t, err, broker.ErrTooOld)
	page, _, err = b.History(t.Context(), "none", last, position.Position{}, 10)
	require.NoError(t, err)
	require.Empty(t, page)
}
