package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

func TestParseConfig(t *testing.T) {
	c, err := parseConfig([]string{"-servers", "wsnode,gws", "-cells", "100x128,200x4096", "-scaling", "50,60", "-rounds", "2"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.servers, []string{"wsnode", "gws"}) || !slices.Equal(c.cells, []cell{{100, 128}, {200, 4096}}) ||
		!slices.Equal(c.scaling, []int{50, 60}) || c.rounds != 2 {
		t.Errorf("got %+v", c)
	}
	if c, err = parseConfig([]string{"-cells", "100x128", "-scaling", "none"}, io.Discard); err != nil || c.scaling != nil {
		t.Errorf("-scaling none: %v, %v", c.scaling, err)
	}
}

// An error names the flag and what of its value is wrong.
func TestParseConfigRefuses(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"-servers wsnode,gorila", []string{"-servers", `"gorila"`, "gorilla, gws"}},
		{"-cells 1000", []string{"-cells", `"1000"`, "1000x128"}},
		{"-cells 0x128", []string{"-cells", `"0"`}},
		{"-cells 10xlarge", []string{"-cells", `"large"`}},
		{"-cells 10x100", []string{"-cells", `"100"`, "128 to"}},
		{"-cells 2000000000x128", []string{"-cells", "2000000000 connections", "files"}},
		{"-scaling 10,", []string{"-scaling", `""`}},
		{"-rounds 0", []string{"-rounds 0"}},
		{"-floor 1000", []string{"-floor", `"1000"`}},
		{"-part redis", []string{"-part", `"redis"`, "sustained"}},
		{"-part broker -channels 1,200 -connections 100", []string{"-channels", "200 channels", "100 connections"}},
		{"-part broker -channels none", []string{"-channels", "none"}},
		{"-connections -1", []string{"-connections -1"}},
		{"-rate -1", []string{"-rate -1"}},
		{"-for 10ms", []string{"-for 10ms"}},
		{"more", []string{`"more"`}},
	} {
		_, err := parseConfig(strings.Fields(c.args), io.Discard)
		if err == nil {
			t.Errorf("%s: no error", c.args)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.args, err, want)
			}
		}
	}
}
