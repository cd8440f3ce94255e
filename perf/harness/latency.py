"""Measures p99.9 at half load in rounds: perf/Pace sends at a constant rate over 64 connections, the same for all."""

import subprocess
import sys

from . import servers
from .load import wrk
from .peers import NAMES
from .processes import Failure
from .rows import ROWS

COMPARED = ("larder", "haproxy")


def pace(stack, bench, server, path, rate, seconds):
    arguments = [servers.build("pace"), str(server.port), path, str(bench.options.connections), str(rate),
                 str(seconds)]
    process = stack.start("pace", arguments, bench.loading, stdout=subprocess.PIPE)
    output = process.child.stdout.read().decode()
    if process.child.wait() != 0:
        raise Failure(f"pace failed:\n{output}{process.tail()}")
    stack.processes.remove(process)
    return {name: int(value) for name, value in (part.split("=") for part in output.split())}


def measure(stack, bench, options):
    """{"rate": requests a second, "rounds": {peer: [{p50, p99, p999, …} of each round]}}"""
    row = ROWS[0]
    present = [peer for peer in COMPARED if peer in options.peers]
    capacity = {}
    for peer in present:
        server = bench.server(peer, row)
        bench.verify(peer, server, row)
        capacity[peer] = wrk(stack, server.url(row.path), bench.loading, options.connections, 1).rate
    # The same rate for all, half of what the slower one can do, so that none is saturated.
    rate = int(min(capacity.values()) / 2)
    rounds = {peer: [] for peer in present}
    for number in range(options.rounds):
        for peer in present if number % 2 == 0 else reversed(present):
            server = bench.server(peer, row)
            bench.verify(peer, server, row)
            before = server.process.cpu()
            figures = pace(stack, bench, server, row.path, rate, options.seconds)
            figures["cpu"] = (server.process.cpu() - before) / (figures["requests"] + rate) * 1e6
            figures["busy"] = (server.process.cpu() - before) / (options.seconds + 1)
            rounds[peer].append(figures)
        line = ", ".join(f"{NAMES[peer]} {rounds[peer][-1]['p999']}" for peer in present)
        print(f"latency, round {number + 1}: p99.9 {line} µs at {rate:,} a second", file=sys.stderr)
    return {"rate": rate, "rounds": rounds}
