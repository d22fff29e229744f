// Package netpoll is a shared-nothing event loop over epoll for very many TCP
// connections. Every Conn lives and dies on one Loop, in one goroutine, so no
// connection needs a lock, a goroutine or a buffer of its own while it is idle.
//
// The package moves bytes: it knows neither HTTP nor WebSocket. Servers give a
// Loop a Listener, clients call Loop.Dial; both get their events through the
// Handler of the connection, always on its loop. Other goroutines reach a loop
// with Loop.Post and nothing else.
package netpoll
