package report

// NodeUse is what a server's own metrics say; nil stands for a metric that it
// does not have.
type NodeUse struct {
	MemoryBytes *float64 `json:"memory_bytes,omitempty"` // resident
	CPU         *float64 `json:"cpu,omitempty"`          // cores in use since the scrape before
	Connections *float64 `json:"connections,omitempty"`
}

// Node is a server over the whole run, as its metrics tell.
type Node struct {
	URL           string  `json:"url"` // of its metrics
	Scrapes       int64   `json:"scrapes"`
	ScrapesFailed int64   `json:"scrapes_failed"`
	MemoryStart   float64 `json:"memory_start"` // bytes, at the first scrape
	MemoryMax     float64 `json:"memory_max"`   // bytes
	CPUSeconds    float64 `json:"cpu_seconds"`  // from the first scrape to the last
	Connections   float64 `json:"connections"`  // at the most
	Error         string  `json:"error,omitempty"`
}

// Nodes sums up the servers whose metrics were asked for.
type Nodes struct {
	Scrapes            int64   `json:"scrapes"`
	ScrapesFailed      int64   `json:"scrapes_failed"`
	MemoryStart        float64 `json:"memory_start"`
	MemoryMax          float64 `json:"memory_max"` // the sum of each node's
	CPUSeconds         float64 `json:"cpu_seconds"`
	Connections        float64 `json:"connections"` // the sum of each node's
	BytesPerConnection float64 `json:"bytes_per_connection"`
	List               []Node  `json:"list"`
}

// SumNodes adds up the nodes.
func SumNodes(list []Node) Nodes {
	all := Nodes{List: list}
	if list == nil {
		all.List = []Node{}
	}
	for _, n := range list {
		all.Scrapes += n.Scrapes
		all.ScrapesFailed += n.ScrapesFailed
		all.MemoryStart += n.MemoryStart
		all.MemoryMax += n.MemoryMax
		all.CPUSeconds += n.CPUSeconds
		all.Connections += n.Connections
	}
	if all.Connections > 0 {
		all.BytesPerConnection = (all.MemoryMax - all.MemoryStart) / all.Connections
	}
	return all
}
