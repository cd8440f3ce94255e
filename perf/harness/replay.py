"""The NASA trace for real: requests over keep-alive to each proxy, all with the same configured cache memory,
before one origin that has a body of the logged size for each URL. What reaches the origin was no hit."""

import sys

from . import peers, servers, trace
from .client import Connection
from .peers import NAMES
from .processes import Failure

# From the least that Larder takes to two thirds of the footprint.
MEBIBYTES = (4, 6, 8, 12)
COMPARED = ("larder", "haproxy", "nginx", "varnish")
# nginx's limit is enforced by a process that looks every ten seconds: about every three requests of this day.
TIDY_EVERY = 32


def start(stack, bench, peer, megabytes):
    port = bench.origin.port
    if peer == "larder":
        return servers.larder(stack, port, name=f"larder-{megabytes}", memory=f"{megabytes}MiB")
    if peer == "haproxy":
        # 64 KiB and a head: its own limit counts both.
        return peers.haproxy(stack, port, megabytes=megabytes, objects=67000)
    if peer == "nginx":
        return peers.nginx_cache(stack, port, megabytes=megabytes, managed=True)
    return peers.varnish(stack, port, megabytes=megabytes)


def play(bench, server, requests, tidy=None):
    """The share of requests that the origin did not see."""
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
