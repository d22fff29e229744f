// Command doctor says what wsfleet needs of this machine, what is there, and how
// to get the rest.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	install := flag.Bool("install", false, "install the Debian packages that are missing")
	flag.Parse()
	if err := run(os.Stdout, *install); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, install bool) error {
	results := checkAll(prerequisites)
	if install {
		if pkgs := missingPackages(results); len(pkgs) > 0 {
			fmt.Fprintf(w, "installing %s\n", strings.Join(pkgs, " "))
			if err := installPackages(w, pkgs); err != nil {
				return err
			}
			results = checkAll(prerequisites)
		}
	}
	results = append(results, checkMachine()...)
	return report(w, results)
}

// report prints a line for each result, and the failures once more as the error.
func report(w io.Writer, results []result) error {
	var bad []string
	for _, r := range results {
		mark := "ok"
		if !r.ok {
			mark = "MISSING"
			bad = append(bad, r.name)
		}
		fmt.Fprintf(w, "%-8s %-16s %-28s %s\n", mark, r.name, r.found, r.note)
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d missing: %s; the lines above say how to get them (make deps installs what Debian packages)", len(bad), strings.Join(bad, ", "))
	}
	fmt.Fprintln(w, "\nEverything is there. Next: make up (the whole fleet on this machine) or make test.")
	return nil
}
