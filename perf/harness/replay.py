"""Replays the NASA trace as requests over keep-alive to each proxy, all with the same configured cache memory. The
origin has a body of the logged size for each URL. A request that reaches the origin is not a hit."""

import sys

from . import peers, servers, trace
from .client import Connection
from .peers import NAMES
from .processes import Failure

# From the smallest memory that Larder accepts to two thirds of the footprint.
MEBIBYTES = (4, 6, 8, 12)
COMPARED = ("larder", "haproxy", "nginx", "varnish")
# nginx checks its limit every ten seconds, which is about every three requests of this day.
TIDY_EVERY = 32


def start(stack, bench, peer, megabytes):
    port = bench.origin.port
    if peer == "larder":
        return servers.larder(stack, port, name=f"larder-{megabytes}", memory=f"{megabytes}MiB")
    if peer == "haproxy":
        # 64 KiB and a head: the limit counts both.
        return peers.haproxy(stack, port, megabytes=megabytes, objects=67000)
    if peer == "nginx":
        return peers.nginx_cache(stack, port, megabytes=megabytes, managed=True)
    return peers.varnish(stack, port, megabytes=megabytes)


def play(bench, server, requests, tidy=None):
    """The share of requests that did not reach the origin."""
    _, before = bench.origin.counts()
    with Connection(server.port, timeout=30) as connection:
        for number, (identity, size) in enumerate(requests):
            answer = connection.request(f"/files/nasa-{identity}")
            if answer.status != 200 or len(answer.body) != size:
                raise Failure(f"{server.name}: {answer.status}, {len(answer.body)} bytes of {size}")
            if tidy and number % TIDY_EVERY == 0:
                tidy(server)
    _, after = bench.origin.counts()
    return 1 - (after - before - 1) / len(requests)


def measure(stack, bench, options):
    """{"4": {peer: hit ratio}}"""
    requests = trace.nasa()
    for identity, size in dict(requests).items():
        bench.origin.file(f"files/nasa-{identity}", bytes(size))
    found = {}
    for megabytes in MEBIBYTES:
        for peer in COMPARED:
            if peer not in options.peers:
                continue
            server = start(stack, bench, peer, megabytes)
            try:
                ratio = play(bench, server, requests, peers.nginx_tidy if peer == "nginx" else None)
            finally:
                server.process.stop()
                server.clean()
            found.setdefault(str(megabytes), {})[peer] = ratio
            print(f"replay at {megabytes} MiB: {NAMES[peer]} {ratio:.3f}", file=sys.stderr)
    return found
