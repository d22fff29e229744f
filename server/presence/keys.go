package presence

// registry is the set of the names of all nodes, dead ones included until somebody
// notices.
const registry = "wsfleet:presence"

// keys are those of one node. Braces keep them on one server of a cluster, so that
// they change together.
type keys struct {
	node   string
	state  string // hash: connections, and the revision of what was told
	counts string // hash: connections of each channel
	names  string // sorted set: the channels in the order of their bytes
	// Beside those that are replaced as a whole: what is not complete yet.
	newCounts, newNames string
}

func keysOf(node string) keys {
	prefix := "wsfleet:presence:{" + node + "}"
	return keys{
		node: node, state: prefix, counts: prefix + ":counts", names: prefix + ":names",
		newCounts: prefix + ":counts:new", newNames: prefix + ":names:new",
	}
}

// Fields of the state.
const (
	fieldConnections = "connections"
	fieldRevision    = "revision"
)
