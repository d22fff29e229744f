package frame

// Shared is one message to many receivers, framed once for all of them in each
// form that they may take. Nobody changes it.
type Shared struct {
	Plain    []byte
	Deflated []byte // by permessage-deflate; nil where everybody gets Plain
}
