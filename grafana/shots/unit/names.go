package unit

import (
	"fmt"
	"strings"
)

var (
	thousands = []step{{1, ""}, {1e3, " K"}, {1e6, " Mil"}, {1e9, " Bil"}, {1e12, " Tri"}}
	seconds   = []step{{1e-9, " ns"}, {1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " hour"}, {86400, " day"}}
)

// counted writes so many of something: 1.20K req/s.
func counted(what string) Unit {
	return Unit{steps: []step{{1, " " + what}, {1e3, "K " + what}, {1e6, "M " + what}, {1e9, "B " + what}, {1e12, "T " + what}}}
}

// metric writes 1.20 kB, by thousands.
func metric(what string) Unit {
	return Unit{steps: []step{{1, " " + what}, {1e3, " k" + what}, {1e6, " M" + what}, {1e9, " G" + what}, {1e12, " T" + what}, {1e15, " P" + what}}}
}

// binary writes 1.20 KiB, by 1024.
func binary(what string) Unit {
	u := Unit{ladder: ladderBinary}
	size := 1.0
	for _, p := range []string{" ", " Ki", " Mi", " Gi", " Ti", " Pi"} {
		u.steps = append(u.steps, step{size, p + what})
		size *= 1024
	}
	return u
}

// lasting writes a time that is given in so many seconds.
func lasting(inSeconds float64) Unit {
	return Unit{factor: inSeconds, steps: seconds, ladder: ladderTime}
}

func plain(suffix string) Unit { return Unit{steps: []step{{1, suffix}}} }

func either(yes, no string) Unit {
	return Unit{words: func(v float64) string {
		if v == 0 {
			return no
		}
		return yes
	}}
}

var names = map[string]Unit{
	"": {}, "none": {}, "string": {}, "short": {steps: thousands}, "locale": {}, "sishort": metric(""),
	"percent": plain("%"), "percentunit": {factor: 100, steps: []step{{1, "%"}}},
	"bytes": binary("B"), "kbytes": scaled(binary("B"), 1024), "mbytes": scaled(binary("B"), 1<<20), "decbytes": metric("B"),
	"bits": binary("b"), "decbits": metric("b"),
	"binBps": binary("B/s"), "Bps": metric("B/s"), "binbps": binary("b/s"), "bps": metric("b/s"),
	"ns": lasting(1e-9), "µs": lasting(1e-6), "ms": lasting(1e-3), "s": lasting(1), "m": lasting(60), "h": lasting(3600), "d": lasting(86400),
	"dtdurations": {words: length, ladder: ladderTime}, "dtdurationms": {words: func(v float64) string { return length(v / 1000) }},
	"dateTimeAsIso": {words: moment},
	"cps":           counted("c/s"), "ops": counted("ops/s"), "reqps": counted("req/s"), "rps": counted("rd/s"), "wps": counted("wr/s"),
	"iops": counted("io/s"), "eps": counted("evt/s"), "mps": counted("msg/s"), "pps": metric("p/s"),
	"cpm": counted("c/m"), "opm": counted("ops/m"), "rpm": counted("rd/m"),
	"hertz": metric("Hz"), "celsius": plain(" °C"),
	"bool": either("True", "False"), "bool_yes_no": either("Yes", "No"), "bool_on_off": either("On", "Off"),
}

func scaled(u Unit, factor float64) Unit {
	u.factor = factor
	return u
}

// Lookup finds a unit by Grafana's name for it: one of its list, or "suffix:…", "prefix:…" and "si:…" with a text of
// one's own.
func Lookup(name string) (Unit, error) {
	if u, ok := names[name]; ok {
		return u, nil
	}
	kind, text, _ := strings.Cut(name, ":")
	switch {
	case text == "":
	case kind == "suffix":
		return plain(" " + text), nil
	case kind == "prefix":
		return Unit{prefix: text}, nil
	case kind == "si":
		return metric(text), nil
	}
	return Unit{}, fmt.Errorf("unit %q is none of those that are known (short, bytes, s, percentunit, cps, suffix:…)", name)
}
