package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLiveLine(t *testing.T) {
	before := Figures{"wsload_connections": 100, "wsload_connections_established_total": 100, "wsload_pings_answered_total": 7}
	now := Figures{"wsload_connections": 1_000_000, "wsload_connections_established_total": 50_100, "wsload_pings_answered_total": 7}
	require.Equal(t, "1,000,000 connections, 20.0 GiB, 5,000/s connected", liveLine(before, now, 10*time.Second, 20<<30))
}
