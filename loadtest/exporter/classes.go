package exporter

import (
	"slices"
	"strings"
)

// A class of failures may carry what a server sent, such as a close code. Only the
// classes listed here become label values, all of them from the start; the rest is
// counted under other.
const other = "other"

var (
	network    = []string{"timeout", "refused", "reset", "unreachable", "eof", "interrupted", other}
	httpStatus = []string{
		"http_301", "http_302", "http_307", "http_308", "http_400", "http_401", "http_403", "http_404", "http_405", "http_408", "http_426",
		"http_429", "http_431", "http_500", "http_502", "http_503", "http_504",
	}
	tls = []string{"tls_failed", "tls_alert", "tls_unknown_ca", "tls_wrong_name", "tls_expired", "tls_certificate", "not_tls"}
	// failureClasses are those of connections that could not be opened, by stage.
	failureClasses = map[string][]string{
		"dial":      append([]string{"no_port", "no_file"}, network...),
		"handshake": slices.Concat([]string{"bad_accept", "bad_answer", "bad_subprotocol", "not_http", "too_large"}, httpStatus, tls, network),
		"worker":    {"died", other},
		"agent":     {"lost", other},
		other:       {other},
	}
	// closeClasses are those of connections that ended before their time: the
	// codes of RFC 6455 and its registry, and what else may end one.
	closeClasses = append([]string{
		"code_1000", "code_1001", "code_1002", "code_1003", "code_1005", "code_1007", "code_1008", "code_1009", "code_1010",
		"code_1011", "code_1012", "code_1013", "code_1014", "protocol_error", "write_queue_full",
	}, network...)
)

// stageOf splits a class such as "handshake.http_503", and folds what is not
// listed.
func stageOf(text string) (stage, class string) {
	stage, class, _ = strings.Cut(text, ".")
	known, ok := failureClasses[stage]
	if !ok {
		return other, other
	}
	return stage, fold(known, class)
}

func fold(known []string, class string) string {
	if slices.Contains(known, class) {
		return class
	}
	return other
}
