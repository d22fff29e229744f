package presence

// Report is one of what Run does again and again.
var Report = (*Presence).report
