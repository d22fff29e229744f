package main

import "testing"

func TestComplaints(t *testing.T) {
	said := "    1.0s ramp connected 10/10\nwsload: expected echo.ok == planned, but it is 9\n    2.0s close\nwsload: the generator fell behind\n"
	want := "expected echo.ok == planned, but it is 9; the generator fell behind"
	if got := complaints("wsload", said); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
