package main

import (
	"encoding/json"
	"math"
	"testing"
)

func TestComplaints(t *testing.T) {
	said := "    1.0s ramp connected 10/10\nwsload: expected echo.ok == planned, but it is 9\n    2.0s close\nwsload: the generator fell behind\n"
	want := "expected echo.ok == planned, but it is 9; the generator fell behind"
	if got := complaints("wsload", said); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// growth holds the last third of the broadcasts against the first, whatever else the
// timeline has.
func TestGrowth(t *testing.T) {
	var rep report
	raw := `{"timeline":[{"phase":"ramp"},
		{"phase":"broadcast","broadcast":{"delivered":10,"p50":0.1}},
		{"phase":"broadcast","broadcast":{"delivered":0,"p50":0}},
		{"phase":"broadcast","broadcast":{"delivered":10,"p50":0.2}},
		{"phase":"broadcast","broadcast":{"delivered":10,"p50":0.6}},
		{"phase":"hold","broadcast":{"delivered":1,"p50":9}}]}`
	if err := json.Unmarshal([]byte(raw), &rep); err != nil {
		t.Fatal(err)
	}
	if got, err := rep.growth(); err != nil || math.Abs(got-0.5) > 1e-9 {
		t.Errorf("got %v, %v; want 0.5", got, err)
	}
	rep.Timeline = rep.Timeline[:3]
	if _, err := rep.growth(); err == nil {
		t.Error("too short a timeline gives no error")
	}
}
