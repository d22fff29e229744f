package imds

import (
	"slices"
	"strings"
)

// tree holds the metadata by path, such as meta-data/instance-id. A path that others begin with is a directory, whose content
// is the list of its entries, those that are directories with a slash.
type tree map[string]string

// list gives directories a list of their own in place of the one made from the paths.
func (t tree) list(directories map[string]string) {
	for path, content := range directories {
		if content != "" && t.directory(path) != "" {
			t[path] = content
		}
	}
}

func (t tree) get(path string) (string, bool) {
	path = strings.Trim(path, "/")
	if content, ok := t[path]; ok {
		return content, true
	}
	content := t.directory(path)
	return content, content != ""
}

func (t tree) directory(path string) string {
	prefix := path + "/"
	if path == "" {
		prefix = ""
	}
	entries := map[string]bool{}
	for p := range t {
		if rest, ok := strings.CutPrefix(p, prefix); ok {
			name, _, deeper := strings.Cut(rest, "/")
			if deeper {
				name += "/"
			}
			entries[name] = true
		}
	}
	// "public-keys" and "public-keys/": a directory with a list of its own shows once.
	for name := range entries {
		if strings.HasSuffix(name, "/") {
			delete(entries, strings.TrimSuffix(name, "/"))
		}
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, "\n")
}
