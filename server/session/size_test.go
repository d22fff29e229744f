//go:build linux

package session_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wsfleet/wsfleet/server/session"
)

// A session's size is most of what an idle connection costs the process: a field
// more must be worth it a million times.
func TestSessionSize(t *testing.T) {
	require.LessOrEqual(t, int(session.SessionSize), 128)
}
