//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/wsfleet/wsfleet/loadtest/report"
)

// reportMain makes a page of a report: wsload report -o out.html run.json.
func reportMain(_ context.Context, args []string, _, stderr io.Writer) int {
	fs := flag.NewFlagSet("wsload report", flag.ContinueOnError)
	file := fs.String("o", "", "`file` to write the page to")
	err := parseFlags(fs, args, stderr, "wsload report makes a page with charts of the JSON report of a run.\n\n"+
		"Usage: wsload report -o report.html run.json\n")
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return fail(stderr, exitUsage, err)
	case fs.NArg() != 1 || *file == "":
		return fail(stderr, exitUsage, errors.New("want wsload report -o report.html run.json"))
	}
	r, err := readReport(fs.Arg(0))
	if err != nil {
		return fail(stderr, exitUsage, err)
	}
	if err := writeHTML(r, "-o", *file); err != nil {
		return fail(stderr, exitFailed, err)
	}
	return exitOK
}

// compareMain shows two reports side by side: wsload compare a.json b.json.
func compareMain(_ context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("wsload compare", flag.ContinueOnError)
	err := parseFlags(fs, args, stderr, "wsload compare shows the JSON reports of two runs side by side, with the ratio of the second to the first.\n\n"+
		"Usage: wsload compare a.json b.json\n")
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil:
		return fail(stderr, exitUsage, err)
	case fs.NArg() != 2:
		return fail(stderr, exitUsage, errors.New("want wsload compare a.json b.json"))
	}
	var reports [2]*report.Report
	for i := range reports {
		if reports[i], err = readReport(fs.Arg(i)); err != nil {
			return fail(stderr, exitUsage, err)
		}
	}
	if err := report.WriteComparison(stdout, fs.Arg(0), reports[0], fs.Arg(1), reports[1]); err != nil {
		return fail(stderr, exitFailed, err)
	}
	return exitOK
}

// readReport reads what -json wrote.
func readReport(file string) (*report.Report, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r report.Report
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("%s: not the JSON report of a run: %w", file, err)
	}
	if r.Run == "" {
		return nil, fmt.Errorf("%s: not the JSON report of a run: it has no \"run\"", file)
	}
	return &r, nil
}
