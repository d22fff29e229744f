//go:build !linux

package main

func freeDiskGiB(string) float64 { return 0 }
