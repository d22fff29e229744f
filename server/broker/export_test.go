package broker

import "testing"

// TargetName is what messages call the server of a URL.
func TargetName(t *testing.T, url string) string {
	t.Helper()
	target, err := parseTarget(Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return target.name
}

// CheckInfo is what a single server is judged by.
func CheckInfo(info string) error { return checkInfo(info, single) }
