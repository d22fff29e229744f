package broker

import "strings"

// slots is how many a Redis Cluster has; each belongs to one primary.
const slots = 16384

// crc16 is the table of CRC-16/XMODEM (polynomial 0x1021), by which names get their slot.
var crc16 = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()

// slotOf returns the slot of a channel or key: that of its hash tag, if it has one.
func slotOf(name string) int {
	if hasHashTag(name) {
		_, rest, _ := strings.Cut(name, "{")
		name, _, _ = strings.Cut(rest, "}")
	}
	crc := uint16(0)
	for i := range len(name) {
		crc = crc<<8 ^ crc16[byte(crc>>8)^name[i]]
	}
	return int(crc % slots)
}
