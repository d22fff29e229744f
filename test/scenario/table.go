package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// The README has the table between these lines.
const (
	tableBegin = "<!-- made by `make cost`: do not edit -->\n"
	tableEnd   = "<!-- end of what `make cost` makes -->\n"
)

var errStale = errors.New("the cost table in terraform/README.md is not what the scenarios cost: run `make cost`")

// costTable lays the costs out: the sums first, then each scenario's parts.
func costTable(costs map[string]Cost) string {
	var b strings.Builder
	names := slices.Sorted(maps.Keys(costs))
	b.WriteString("| scenario | USD an hour | USD a day |\n| --- | ---: | ---: |\n")
	asOf := ""
	for _, name := range names {
		c := costs[name]
		asOf = c.PricesAsOf
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, dollars(c.Total, 1, 2), dollars(c.Total, 24, 2))
	}
	fmt.Fprintf(&b, "\nPrices as of %s.\n", asOf)
	for _, name := range names {
		c := costs[name]
		fmt.Fprintf(&b, "\n| `%s` | how many | USD an hour each | USD an hour |\n| --- | ---: | ---: | ---: |\n", name)
		for _, p := range c.Breakdown {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.What, strconv.FormatFloat(p.Count, 'f', -1, 64), dollars(p.Each, 1, 5), dollars(p.PerHour, 1, 3))
		}
		fmt.Fprintf(&b, "| **sum** | | | **%s** |\n", dollars(c.Total, 1, 3))
		for _, u := range c.Unknown {
			fmt.Fprintf(&b, "\nNo price is known of %s.\n", u)
		}
	}
	return b.String()
}

// dollars writes an amount times n, or says that nobody knows it.
func dollars(amount *float64, n float64, decimals int) string {
	if amount == nil {
		return "unknown"
	}
	return strconv.FormatFloat(*amount*n, 'f', decimals, 64)
}

// updateReadme puts the table into the file; with check it only says whether that would change it.
func updateReadme(path, table string, check bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), tableBegin)
	_, after, foundEnd := strings.Cut(rest, tableEnd)
	if !found || !foundEnd {
		return fmt.Errorf("%s: the lines %q and %q are not both there", path, strings.TrimSpace(tableBegin), strings.TrimSpace(tableEnd))
	}
	updated := before + tableBegin + "\n" + table + "\n" + tableEnd + after
	switch {
	case updated == string(text):
		return nil
	case check:
		return errStale
	}
	return os.WriteFile(path, []byte(updated), 0o644)
}
