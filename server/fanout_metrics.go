//go:build linux

package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descRelayDropped  = desc("relay_dropped_total", "Clients' messages that were not published because the broker did not keep up.")
	descUnderWay      = desc("fanout_messages", "Published messages that not all loops have delivered.")
	descUnderWayBytes = desc("fanout_bytes", "Their size in memory.")
	descFanoutWait    = desc("fanout_waiting", "1 while the next message waits because the loops do not keep up.")
	descFanoutWaited  = desc("fanout_waited_seconds_total", "Time for which messages had to wait for the loops.")
	descTailBytes     = desc("fanout_tail_bytes", "Memory of the messages that are remembered for those who return.")

	descCatchingUp = desc("resuming", "Subscriptions that are being sent what they missed, or wait for it.")
	descResumed    = desc("resumes_total", "Subscriptions that asked for what they missed, by where it came from: tail (the memory of this node), history (the broker's) or too_old (nowhere: the client was told).", "from")
	descFellBehind = desc("resumes_slow_total", "How often a slow client that can be resumed was left for later instead of being closed.")
	descPageReads  = desc("history_pages_total", "Pages of history read for clients.")
	descPageErrors = desc("history_errors_total", "Pages that could not be read, and were asked for again.")

	descChannels         = desc("channels", "Channels that connections of this node are subscribed to.")
	descFleetNodes       = desc("fleet_nodes", "Nodes of the fleet, as of some seconds ago.")
	descFleetConnections = desc("fleet_connections", "Connections of the whole fleet, as of some seconds ago.")
	descPresenceUp       = desc("presence_up", "1 while this node and the fleet hear of each other; 0: the wsnode_fleet metrics are old.")

	descBrokerUp      = desc("broker_up", "1 while messages flow from the broker.")
	descPublished     = desc("broker_published_total", "Messages published through this node.")
	descPublishErrors = desc("broker_publish_errors_total", "Messages that the broker did not take.")
	descPublishing    = desc("broker_publishing", "Messages that wait to be published.")
	descBrokerRecv    = desc("broker_received_total", "Messages that came from the broker, those dropped included.")
	descBrokerDropped = desc("broker_dropped_total", "Messages from the broker that found no room to wait in: fetched from history later, or lost.")
	descBrokerWaiting = desc("broker_waiting_bytes", "Messages from the broker that wait to be delivered, in bytes.")
	descBrokerLag     = desc("broker_lag_seconds", "For how long the message that is delivered now has waited for it.")
	descRecovered     = desc("broker_recovered_total", "Messages that were missed and fetched from history.")
	descDuplicates    = desc("broker_duplicates_total", "Messages that came again and were not delivered.")
	descLost          = desc("broker_lost_total", "Messages known to be missing for good.")
	descGaps          = desc("broker_gaps_total", "Places where messages were missing, by how that ended: recovered from history, lost and counted, or unknown: nobody can tell how many.", "outcome")
	descReconnects    = desc("broker_reconnects_total", "Tries to reach the broker again.")
	descSubscriptions = desc("broker_subscriptions", "Channels this node is subscribed to.")
)

// fanoutCollector reads what hub and broker count.
type fanoutCollector struct{ n *node }

// Describe implements prometheus.Collector.
func (c fanoutCollector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c fanoutCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	counter(descRelayDropped, c.n.relayDropped.Load())

	h := c.n.hub.Stats()
	gauge(descUnderWay, float64(h.UnderWay.Load()))
	gauge(descUnderWayBytes, float64(h.UnderWayBytes.Load()))
	gauge(descFanoutWait, float64(h.Waiting.Load()))
	ch <- prometheus.MustNewConstMetric(descFanoutWaited, prometheus.CounterValue, time.Duration(h.Waited.Load()).Seconds())
	gauge(descTailBytes, float64(h.TailBytes.Load()))
	gauge(descCatchingUp, float64(h.CatchingUp.Load()))
	counter(descResumed, h.FromTail.Load(), "tail")
	counter(descResumed, h.FromHistory.Load(), "history")
	counter(descResumed, h.TooOld.Load(), "too_old")
	counter(descFellBehind, h.FellBehind.Load())
	counter(descPageReads, h.Pages.Load())
	counter(descPageErrors, h.PageErrors.Load())

	fleet, err := c.n.presence.Fleet()
	gauge(descChannels, float64(c.n.hub.Channels()))
	gauge(descFleetNodes, float64(fleet.Nodes))
	gauge(descFleetConnections, float64(fleet.Connections))
	gauge(descPresenceUp, oneIf(err == nil))

	b := c.n.broker.Stats()
	gauge(descBrokerUp, oneIf(c.n.broker.Ready() == nil))
	counter(descPublished, b.Published.Load())
	counter(descPublishErrors, b.PublishErrors.Load())
	gauge(descPublishing, float64(b.Publishing.Load()))
	counter(descBrokerRecv, b.Received.Load())
	counter(descBrokerDropped, b.Dropped.Load())
	gauge(descBrokerWaiting, float64(b.Waiting.Load()))
	gauge(descBrokerLag, b.Lag().Seconds())
	counter(descRecovered, b.Recovered.Load())
	counter(descDuplicates, b.Duplicates.Load())
	counter(descLost, b.Lost.Load())
	counter(descGaps, b.Gaps.Recovered.Load(), "recovered")
	counter(descGaps, b.Gaps.Lost.Load(), "lost")
	counter(descGaps, b.Gaps.Unknown.Load(), "unknown")
	counter(descReconnects, b.Reconnects.Load())
	gauge(descSubscriptions, float64(b.Subscriptions.Load()))
}
