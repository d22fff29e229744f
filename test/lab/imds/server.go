// Package imds is the EC2 instance metadata service, version 2, of one host.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
package imds

import (
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	maxTTL      = 6 * time.Hour
)

// versions are the dates that AWS puts before the tree; all of them show today's.
var versions = regexp.MustCompile(`^(latest|1\.0|\d{4}-\d{2}-\d{2})$`)

// Handler answers for one instance.
type Handler struct {
	now func() time.Time

	mu       sync.Mutex // guards the following
	instance Instance
	tokens   map[[sha256.Size]byte]time.Time // until when a token is good
}

// New returns the service of the instance.
func New(i Instance) *Handler {
	return &Handler{now: time.Now, instance: i, tokens: map[[sha256.Size]byte]time.Time{}}
}

// Update replaces what the service tells, such as after a change of tags.
func (h *Handler) Update(i Instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.instance = i
}

func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Server", "EC2ws")
	w.Header().Set("Content-Type", "text/plain")
	version, path, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPut && version == "latest" && path == "api/token":
		h.serveToken(w, r)
	case r.Method == http.MethodPut:
		status(w, http.StatusForbidden)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		status(w, http.StatusMethodNotAllowed)
	case !h.valid(r.Header.Get(tokenHeader)):
		status(w, http.StatusUnauthorized)
	case version == "":
		write(w, "1.0\nlatest")
	case !versions.MatchString(version):
		status(w, http.StatusNotFound)
	default:
		h.mu.Lock()
		content, ok := h.instance.tree(h.now()).get(path)
		h.mu.Unlock()
		if !ok {
			status(w, http.StatusNotFound)
			return
		}
		write(w, content)
	}
}

// serveToken gives out a token for as long as was asked.
func (h *Handler) serveToken(w http.ResponseWriter, r *http.Request) {
	seconds, err := strconv.Atoi(r.Header.Get(ttlHeader))
	ttl := time.Duration(seconds) * time.Second
	if err != nil || ttl < time.Second || ttl > maxTTL {
		status(w, http.StatusBadRequest)
		return
	}
	if r.Header.Get("X-Forwarded-For") != "" { // a proxy asks, not the instance
		status(w, http.StatusForbidden)
		return
	}
	token := rand.Text()
	h.mu.Lock()
	defer h.mu.Unlock()
	for t, until := range h.tokens {
		if h.now().After(until) {
			delete(h.tokens, t)
		}
	}
	h.tokens[sha256.Sum256([]byte(token))] = h.now().Add(ttl)
	w.Header().Set(ttlHeader, strconv.Itoa(seconds))
	write(w, token)
}

// valid tells whether the token was given out and is still good. Looking up its hash takes the same time for any wrong one.
func (h *Handler) valid(token string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	until, ok := h.tokens[sha256.Sum256([]byte(token))]
	return ok && h.now().Before(until)
}

func status(w http.ResponseWriter, code int) { http.Error(w, http.StatusText(code), code) }

func write(w http.ResponseWriter, content string) {
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write([]byte(content)) // the host went away, or it did not
}
