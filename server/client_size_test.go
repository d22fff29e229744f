//go:build linux

package main

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// A client is the allocation that every connection costs: it must stay in the size class
// of 176 bytes.
func TestClientSize(t *testing.T) {
	require.LessOrEqual(t, int(unsafe.Sizeof(client{})), 176)
}
