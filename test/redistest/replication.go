package redistest

import (
	"context"
	"strconv"
	"strings"
	"testing"
)

// replication returns what the server says of its part in it.
func (s *Server) replication(ctx context.Context) map[string]string {
	info := make(map[string]string)
	text, err := s.Client.Info(ctx, "replication").Result()
	if err != nil {
		return info
	}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[key] = value
	}
	return info
}

func (s *Server) isPrimary(ctx context.Context) bool { return s.replication(ctx)["role"] == "master" }

// AwaitReplicas returns once at least n replicas have everything that this primary had
// when it was asked.
func (s *Server) AwaitReplicas(t testing.TB, n int) {
	t.Helper()
	want := ""
	eventually(t, "replicas of "+s.Addr+" are in step", func(ctx context.Context) bool {
		info := s.replication(ctx)
		if want == "" {
			want = info["master_repl_offset"]
		}
		in := 0
		for i := range n {
			if hasOffset(info["slave"+strconv.Itoa(i)], want) {
				in++
			}
		}
		return want != "" && in == n
	}, s)
}

// Quiesce makes the primary take no more writes, for the rest of the time before it is
// killed, and returns once n replicas have all that it took. So a failover is one without
// loss: nothing was acknowledged that the replicas don't have.
func (s *Server) Quiesce(t testing.TB, n int) {
	t.Helper()
	if err := s.Client.Do(t.Context(), "CLIENT", "PAUSE", startTimeout.Milliseconds(), "WRITE").Err(); err != nil {
		t.Fatalf("%s: CLIENT PAUSE: %v", s.Addr, err)
	}
	s.AwaitReplicas(t, n)
}

// hasOffset reads the line of a replica: ip=…,port=…,state=online,offset=14,lag=0.
func hasOffset(replica, want string) bool {
	if !strings.Contains(replica, "state=online") {
		return false
	}
	for field := range strings.SplitSeq(replica, ",") {
		if offset, ok := strings.CutPrefix(field, "offset="); ok {
			have, errHave := strconv.ParseInt(offset, 10, 64)
			need, errNeed := strconv.ParseInt(want, 10, 64)
			return errHave == nil && errNeed == nil && have >= need
		}
	}
	return false
}
