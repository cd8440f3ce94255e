"""The rows that wrk times: the CPU time per request of each peer, in rounds, with checks of each figure."""

import gzip
import sys
import time

from . import peers, servers
from .client import fetch
from .load import wrk
from .processes import Failure, cores, run_on
from .peers import NAMES


class NotYet(Exception):
    """Larder does not support this row yet. The row is left out, and the report says so."""


class Bench:
    """The servers of a run, which start when a row first needs them, and the figures of each row."""

    def __init__(self, stack, options):
        self.stack, self.options = stack, options
        available = cores()
        # The server has one core; load and origin have a second core. With one core only, the figures mean little.
        self.serving, self.loading = available[0], available[1 if len(available) > 1 else 0]
        self.origin = servers.Origin(stack, self.loading)
        self.running = {}
        # Row → peer → {"cost": µs of CPU for each request, "rate": requests a second, "busy": CPU ÷ wall time,
        # "distance": ns between the two cores}, with one figure for each round.
        self.figures = {}
        self.apart = self.distance()
        self.missing = {}
        self.text = servers.text(16384)
        self.origin.file("text-16k.gz", gzip.compress(self.text, 6))

    def start(self, peer, row):
        stack, origin, core = self.stack, self.origin.port, self.serving
        if peer == "floor" and not row.hits:
            return servers.relay(stack, origin, core)
        if peer == "floor":
            return servers.floor(stack, row.size, core, closes=row.closes)
        if peer == "larder":
            return servers.larder(stack, origin, core)
        if peer == "haproxy":
            return peers.haproxy(stack, origin, core, cache=row.hits, gzip=row.gzip)
        if peer == "nginx":
            return peers.nginx_cache(stack, origin, core, gzip=row.gzip)
        if peer == "varnish":
            return peers.varnish(stack, origin, core, gzip=row.gzip)
        return peers.h2o(stack, self.origin.folder, core)

    def server(self, peer, row):
        """The server of a peer for a row. It keeps running, except if the row needs a different configuration."""
        key = (peer, row.size, row.closes, row.hits) if peer == "floor" else (
            peer, row.gzip and peer != "larder", row.hits or peer != "haproxy")
        if key not in self.running:
            self.running[key] = self.start(peer, row)
        return self.running[key]

    def verify(self, peer, server, row):
        """Checks the body, and that the answer comes from the cache or is compressed if the row demands it."""
        patience = 30 if row.gzip and peer == "larder" else 2
        for attempt in range(patience):
            answer = fetch(server.port, row.path, fields=row.fields)
            coding = answer.get("Content-Encoding")
            # A variant is made in the background, so the first answers are not compressed.
            if attempt >= 1 and (coding == "gzip") == row.gzip:
                break
            time.sleep(0.1 if row.gzip else 0)
        if answer.status != 200:
            raise Failure(f"{peer} {row.path}: {answer.status}")
        if row.gzip and coding != "gzip":
            if peer == "larder":
                raise NotYet("Larder does not compress what it stored yet")
            raise Failure(f"{peer} {row.path}: Content-Encoding is {coding!r}")
        if row.gzip and gzip.decompress(answer.body) != self.text:
            raise Failure(f"{peer} {row.path}: a wrong body")
        if row.size is not None and len(answer.body) != row.size:
            raise Failure(f"{peer} {row.path}: {len(answer.body)} bytes, not {row.size}")
        status = answer.get("Cache-Status")
        if peer == "larder" and ("; hit" in status) != row.hits:
            raise Failure(f"Larder {row.path}: Cache-Status is {status!r}")
        if row.gzip and peer == "larder":
            self.origin.file("files/plain", bytes(len(answer.body)))

    def measure(self, row, peer):
        server = self.server(peer, row)
        self.verify(peer, server, row)
        time.sleep(0.2)
        accepted, requests = self.origin.counts()
        options, process = self.options, server.process
        before, began = process.cpu(), time.monotonic()
        load = wrk(self.stack, server.url(row.path), self.loading, options.connections, options.seconds,
                   fields=row.fields)
        cpu, wall = process.cpu() - before, time.monotonic() - began
        accepted_after, requests_after = self.origin.counts()
        self.check(peer, row, load, accepted_after - accepted, requests_after - requests - 1)
        figures = self.figures.setdefault(row.name, {}).setdefault(
            peer, {"cost": [], "rate": [], "busy": [], "distance": []})
        figures["cost"].append(cpu / load.requests * 1e6)
        figures["rate"].append(load.rate)
        figures["busy"].append(min(cpu / wall, 1))
        # The host may move cores at any time: take the larger distance of before and after.
        apart, self.apart = self.apart, self.distance()
        figures["distance"].append(max(apart, self.apart))

    def distance(self):
        """The nanoseconds for a cache line from one core to the other and back (`perf/Distance`)."""
        return int(run_on((self.serving, self.loading), [servers.build("distance")]))

    def check(self, peer, row, load, accepted, fetched):
        where = f"{peer} {row.path}"
        if load.refused or load.errors or not load.requests:
            raise Failure(f"{where}: {load.refused} answers not 2xx, {load.errors} errors\n{load.text}")
        if row.hits and fetched > load.requests / 1000:
            raise Failure(f"{where}: {fetched} of {load.requests} requests reached the origin; they are not hits")
        if not row.hits and fetched < load.requests:
            raise Failure(f"{where}: only {fetched} of {load.requests} requests reached the origin")
        if not row.hits and accepted > 4 * self.options.connections:
            raise Failure(f"{where}: {accepted} origin connections; they are not reused")

    def round(self, number, rows):
        """Measures one figure for each row and peer. Each round begins with a different peer, so that no peer always
        runs on the warmer machine."""
        for row in rows:
            present = [peer for peer in self.options.peers if peer in row.peers]
            shift = number % max(len(present), 1)
            for peer in present[shift:] + present[:shift]:
                if row.name == "plain-gzip-size" and "gzip-16k" in self.missing:
                    continue
                try:
                    self.measure(row, peer)
                except NotYet as reason:
                    self.missing[row.name] = str(reason)

    def rounds(self, rows):
        for number in range(self.options.rounds):
            self.round(number, rows)
            row = rows[0]
            line = ", ".join(f"{NAMES[peer]} {found['cost'][-1]:.2f}"
                             for peer, found in self.figures.get(row.name, {}).items())
            print(f"round {number + 1} of {self.options.rounds}: {row.title}: {line} µs", file=sys.stderr)

    def configurations(self):
        """The configurations of the timed rows, by server and variant."""
        shown = {}
        for server in self.running.values():
            if server.configuration:
                text = server.configuration.replace(self.stack.folder, "FOLDER")
                text = text.replace(str(server.port), "PORT")
                title = f"{server.name}, {server.variant}" if server.variant else server.name
                shown[title] = text.replace(str(self.origin.port), "ORIGIN")
        return shown

    def close(self):
        for server in self.running.values():
            server.clean()
