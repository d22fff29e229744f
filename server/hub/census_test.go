//go:build linux

package hub

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The census of a node whose members come and go, by any way, is exact once it is quiet.
func TestCensus(t *testing.T) {
	n := newNode(t, 2, Config{Pinned: []string{"pinned"}})
	rng := rand.New(rand.NewPCG(5, 6))
	want := map[string]int64{}
	people := make([]*reader, 50)
	has := make([]map[string]bool, len(people))
	for i := range people {
		people[i], has[i] = &reader{}, map[string]bool{}
	}
	for range 20_000 {
		i := rng.IntN(len(people))
		p, c := people[i], fmt.Sprint("channel ", rng.IntN(3*censusStep))
		n.on(i%2, func(s *Shard) {
			switch {
			case rng.IntN(2000) == 0:
				s.Leave(&p.Member)
				for c := range has[i] {
					want[c]--
				}
				clear(has[i])
			case has[i][c]:
				require.True(t, s.Unsubscribe(c, &p.Member))
				delete(has[i], c)
				want[c]--
			default:
				if rng.IntN(2) == 0 {
					s.Subscribe(c, p)
					s.Subscribe(c, p)
				} else {
					require.True(t, s.Resume(c, at(0), p))
				}
				has[i][c] = true
				want[c]++
			}
		})
	}
	for c, count := range want {
		if count == 0 {
			delete(want, c)
		}
	}
	require.Greater(t, len(want), 2*censusStep)
	require.Equal(t, want, n.Census())
	require.Equal(t, len(want)+1, n.Channels())
	for i, p := range people {
		n.on(i%2, func(s *Shard) {
			require.Equal(t, len(has[i]), p.Channels())
			s.Leave(&p.Member)
		})
	}
	require.Empty(t, n.Census())
	require.Equal(t, 1, n.Channels())
}
