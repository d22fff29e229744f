#!/usr/bin/python3
"""Active health checks for open-source Nginx, which has none.

Asks every node's /readyz and writes Nginx's list of nodes with those marked "down" that have not been ready for a
while, then reloads Nginx. A reload costs: the workers with the connections of before stay until those end. So it is
the last resort, not the first. A node that refuses is passed over by Nginx itself, handshake by handshake
(proxy_next_upstream, max_fails); this takes out what stays away. See README.md.
"""

import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request

LINE = re.compile(r"^server [^;]+;\s*#\s*ready\s+(?P<ready>\S+)\s+(?P<name>\S+)$")

# The nodes are on the private network, whatever the environment says about proxies.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Node:
    def __init__(self, name, ready_at):
        self.name, self.ready_at = name, ready_at
        self.down = False
        self.since = None  # when its answers began to contradict self.down

    def observe(self, ready, now, down_after, up_after):
        """Takes in one answer. An opinion changes only when the answers have disagreed with it long enough."""
        if ready != self.down:
            self.since = None
            return
        if self.since is None:
            self.since = now
        if now - self.since >= (up_after if self.down else down_after):
            self.down, self.since = not self.down, None


def parse(path, text):
    nodes = {}
    for line in text.splitlines():
        match = LINE.match(line.strip())
        if match:
            nodes[match["name"]] = Node(match["name"], match["ready"])
        elif line.strip() and not line.startswith("#"):
            sys.exit("nodes-ready: %s: cannot read this line: %s" % (path, line.strip()))
    return nodes


def render(text, nodes):
    """The list for Nginx. If no node is ready the list stays whole: a wrong verdict must not close the fleet."""
    down = [n.name for n in nodes.values() if n.down]
    if len(down) == len(nodes):
        return text
    for name in down:
        text = re.sub(r";(?=\s*#\s*ready\s+\S+\s+%s$)" % re.escape(name), " down;", text, flags=re.M)
    return text


def write(path, text):
    """Replaces the file as a whole. Says whether anything changed."""
    try:
        with open(path) as f:
            if f.read() == text:
                return False
    except FileNotFoundError:
        pass
    with open(path + ".new", "w") as f:
        f.write(text)
    os.replace(path + ".new", path)
    return True


def is_ready(node, timeout):
    try:
        with OPENER.open("http://%s/readyz" % node.ready_at, timeout=timeout) as answer:
            return answer.status == 200
    except (OSError, ValueError):
        return False


def watch(args):
    text, nodes, last_reload, pending = None, {}, None, False
    pool = concurrent.futures.ThreadPoolExecutor(16)
    ended = threading.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: ended.set())

    while True:
        with open(args.nodes) as f:
            latest = f.read()
        if latest != text:
            fresh = parse(args.nodes, latest)
            for name, node in fresh.items():
                if name in nodes:
                    node.down, node.since = nodes[name].down, nodes[name].since
            # Someone changed the fleet on purpose: that does not wait for the gap.
            text, nodes, last_reload = latest, fresh, None

        answers = list(pool.map(lambda n: is_ready(n, args.timeout), nodes.values()))
        now = time.monotonic()
        for node, ready in zip(nodes.values(), answers):
            was = node.down
            node.observe(ready, now, args.down_after, args.up_after)
            if node.down != was:
                print("%s is %s" % (node.name, "down: not ready for %g s" % args.down_after if node.down
                                    else "back: ready for %g s" % args.up_after), flush=True)

        if last_reload is None or now - last_reload >= args.reload_gap:
            pending = write(args.upstream, render(text, nodes)) or pending
            if pending:
                last_reload = now
                pending = subprocess.run(args.reload, check=False).returncode != 0
                if pending:
                    print("failed, to be tried again: %s" % " ".join(args.reload), file=sys.stderr, flush=True)

        if ended.wait(args.interval):
            return


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--nodes", required=True, help="the list of nodes as Ansible wrote it")
    p.add_argument("--upstream", required=True, help="the list that Nginx includes")
    p.add_argument("--interval", type=float, default=2, help="seconds between two rounds of questions")
    p.add_argument("--timeout", type=float, default=1, help="seconds a node may take to answer")
    p.add_argument("--down-after", type=float, default=20, help="seconds without being ready until marked down")
    p.add_argument("--up-after", type=float, default=4, help="seconds of being ready until used again")
    p.add_argument("--reload-gap", type=float, default=30, help="seconds between two reloads at least")
    p.add_argument("reload", nargs="+", help="the command that makes Nginx read its configuration")
    watch(p.parse_args())


if __name__ == "__main__":
    main()
