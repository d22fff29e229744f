package access

import "time"

// Cause says which rule refused a connection.
type Cause uint8

// The causes.
const (
	CauseTokenMissing       Cause = iota // no token
	CauseTokenInvalid                    // a token that is malformed, forged, expired or for others
	CauseAddressConnections              // too many connections from the address
	CauseAddressRate                     // too many handshakes a second from the address
	CauseRate                            // too many handshakes a second from all
	CauseProxyHeader                     // a trusted proxy sent no valid PROXY protocol header
	CauseForwarded                       // a trusted proxy sent an X-Forwarded-For that names no address
)

// Refusal is the error that refuses a connection.
type Refusal struct {
	Cause Cause
	Text  string // for the client: what was wrong
	// RetryAfter is how long the client should wait; 0 if that would not help.
	RetryAfter time.Duration
	// Challenge is the value of WWW-Authenticate; empty if there is none.
	Challenge string
}

func (r *Refusal) Error() string { return r.Text }
