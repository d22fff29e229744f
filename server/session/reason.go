package session

import "github.com/wsfleet/wsfleet/server/session/frame"

// Reason says why an open session ended. Its text is a metric label.
type Reason uint8

// The reasons, each with the close code the peer got, if it got one.
const (
	ReasonPeerClosed       Reason = iota // close handshake begun by the peer; its code is echoed
	ReasonPeerGone                       // EOF or reset without a close frame
	ReasonHeartbeatTimeout               // silent for the heartbeat timeout; nobody is there to tell
	ReasonSlowConsumer                   // the send queue is full; a frame would not get through either
	ReasonProtocolError                  // 1002
	ReasonInvalidPayload                 // 1007: text that is not UTF-8
	ReasonTooBig                         // 1009: a message beyond the read limit
	ReasonServiceRestart                 // 1012: the node drains
	ReasonTokenExpired                   // 1008: the token it was admitted with
	ReasonApplication                    // the handler closed it, with its own code
	ReasonShutdown                       // the loop ended before the close handshake did
	reasonCount
	reasonUndecided // this side has not ended the session
)

var reasonNames = [reasonCount]string{
	"peer_closed", "peer_gone", "heartbeat_timeout", "slow_consumer", "protocol_error",
	"invalid_payload", "too_big", "service_restart", "token_expired", "application", "shutdown",
}

func (r Reason) String() string { return reasonNames[r] }

// Reasons returns all of them, for metrics that exist from the start.
func Reasons() []Reason {
	all := make([]Reason, reasonCount)
	for i := range all {
		all[i] = Reason(i)
	}
	return all
}

// closeCodes are the codes that a session sends of itself.
var closeCodes = map[Reason]frame.CloseCode{
	ReasonProtocolError:  frame.CloseProtocolError,
	ReasonInvalidPayload: frame.CloseInvalidPayload,
	ReasonTooBig:         frame.CloseTooBig,
	ReasonServiceRestart: frame.CloseServiceRestart,
}

// Rejection says why a handshake was refused. Its text is a metric label.
type Rejection uint8

// The rejections, each with its HTTP status.
const (
	RejectTimeout            Rejection = iota // 408: the request did not arrive in time
	RejectTooLarge                            // 431: the request header is too large
	RejectMalformed                           // 400: not an HTTP request, or a wrong handshake
	RejectNotWebSocket                        // 426: HTTP, but no upgrade to WebSocket 13
	RejectMethod                              // 405: not GET
	RejectVersion                             // 505: not HTTP/1.1
	RejectNotFound                            // 404: no such path
	RejectOrigin                              // 403
	RejectCapacity                            // 503: as many connections as there may be
	RejectMemory                              // 503: memory is short
	RejectDraining                            // 503: the node goes away
	RejectTokenMissing                        // 401
	RejectTokenInvalid                        // 401: malformed, forged, expired, or for others
	RejectAddressConnections                  // 429: too many connections from one address
	RejectAddressRate                         // 429: too many handshakes a second from one address
	RejectRate                                // 503: too many handshakes a second from all
	RejectProxyHeader                         // no answer: a trusted proxy sent no valid PROXY protocol header
	RejectGone                                // no answer: the peer left before its request was whole
	rejectionCount
)

var rejections = [rejectionCount]struct {
	name   string
	status int
}{
	RejectTimeout:            {"timeout", 408},
	RejectTooLarge:           {"too_large", 431},
	RejectMalformed:          {"malformed", 400},
	RejectNotWebSocket:       {"not_websocket", 426},
	RejectMethod:             {"method", 405},
	RejectVersion:            {"version", 505},
	RejectNotFound:           {"not_found", 404},
	RejectOrigin:             {"origin", 403},
	RejectCapacity:           {"capacity", 503},
	RejectMemory:             {"memory", 503},
	RejectDraining:           {"draining", 503},
	RejectTokenMissing:       {"token_missing", 401},
	RejectTokenInvalid:       {"token_invalid", 401},
	RejectAddressConnections: {"address_connections", 429},
	RejectAddressRate:        {"address_rate", 429},
	RejectRate:               {"rate", 503},
	RejectProxyHeader:        {"proxy_header", 0},
	RejectGone:               {"gone", 0},
}

func (r Rejection) String() string { return rejections[r].name }

// Status returns the HTTP status of the refusal, 0 if none is sent.
func (r Rejection) Status() int { return rejections[r].status }

// Rejections returns all of them, for metrics that exist from the start.
func Rejections() []Rejection {
	all := make([]Rejection, rejectionCount)
	for i := range all {
		all[i] = Rejection(i)
	}
	return all
}
