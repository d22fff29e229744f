// Command cmd derives a fleet from what it is to carry, with the arithmetic shown: see docs/sizing.md.
package main

import (
	"fmt"
	"os"

	"github.com/wsfleet/wsfleet/test/sizing"
)

func main() {
	if err := sizing.Command(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sizing:", err)
		os.Exit(2)
	}
}
