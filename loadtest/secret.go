//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
)

// readSecret returns what is in the file that the flag names, without the line's
// end. No file is no secret.
func readSecret(flag, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", flag, err)
	}
	secret := strings.TrimRight(string(b), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s: %s is empty", flag, file)
	}
	return secret, nil
}
