package main

import "golang.org/x/sys/unix"

func freeDiskGiB(path string) float64 {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0
	}
	return float64(fs.Bavail) * float64(fs.Bsize) / (1 << 30)
}
