"""Counts user-space instructions and allocations for each kind of answer, with callgrind on the real servers.

A server runs twice, with N requests of a kind and with 2N. The difference divided by N is the cost of one request;
start and end cancel out. There is one connection and one request at a time, so each request has a turn of the loop
to itself. This is the highest cost of a request: in a busy loop many requests share the clock reads and waits.
"""

import subprocess
import sys

from . import peers, servers
from .callgrind import Profile
from .client import Connection
from .peers import NAMES
from .processes import Failure

COMPARED = ("larder", "haproxy")
REQUESTS = 4000
KINDS = {
    "hit, 1 KiB": lambda number: ("/hit-1k", ()),
    "hit, 16 KiB": lambda number: ("/hit-16k", ()),
    "304 from the store": lambda number: ("/hit-1k", [("If-None-Match", "*")]),
    "miss, stored, 1 KiB": lambda number: (f"/o/{number}", ()),
    "pass-through, 1 KiB": lambda number: ("/pass-1k", ()),
    "hit and a connection, 1 KiB": lambda number: ("/hit-1k", [("Connection", "close")]),
}
# The number of functions to print for each kind, the most expensive first.
FUNCTIONS = 14


def measure(stack, bench, options):
    """{kind: {peer: {"instructions": …, "allocations": …, "functions": [[name, instructions], …]}}}"""
    counted = {}
    for kind, target in KINDS.items():
        for peer in COMPARED:
            # HAProxy does not answer `If-None-Match: *` with 304.
            if peer not in options.peers or (peer == "haproxy" and kind.startswith("304")):
                continue
            once = run(stack, bench, peer, target, REQUESTS)
            twice = run(stack, bench, peer, target, 2 * REQUESTS)
            found = {"instructions": (twice.total - once.total) / REQUESTS,
                     "allocations": (twice.allocations - once.allocations) / REQUESTS}
            if peer == "larder":
                found["functions"] = dearest(twice.minus(once))
            counted.setdefault(kind, {})[peer] = found
            print(f"{kind}: {NAMES[peer]} {found['instructions']:,.0f} instructions, "
                  f"{found['allocations']:.2f} allocations", file=sys.stderr)
    return counted


def dearest(functions):
    """The most expensive functions: [[name, instructions for each request]]"""
    top = sorted(functions.items(), key=lambda item: -item[1])[:FUNCTIONS]
    return [[name, round(cost / REQUESTS)]
            for name, (_, cost) in zip(readable([name for name, _ in top]), top)]


def readable(names):
    """The names, demangled if Swift's demangler is available."""
    swift = subprocess.run([servers.ROOT + "/packaging/find-swift"], capture_output=True, text=True)
    if swift.returncode != 0:
        return names
    done = subprocess.run([swift.stdout.strip(), "demangle", "--simplified", "--compact"],
                          input="\n".join(names), capture_output=True, text=True)
    found = done.stdout.splitlines()
    return found if len(found) == len(names) else names


def run(stack, bench, peer, target, count):
    """The profile of a whole run of a server with `count` requests."""
    path = stack.path(f"callgrind-{len(stack.processes)}")
    wrapper = (servers.program("valgrind"), "--tool=callgrind", f"--callgrind-out-file={path}", "-q")
    if peer == "larder":
        server = servers.larder(stack, bench.origin.port, wrapper=wrapper)
    else:
        server = peers.haproxy(stack, bench.origin.port, cache=target(0)[0] != "/pass-1k", wrapper=wrapper)
    drive(server, target, 20 + count)
    server.process.stop(patience=60)
    stack.processes.remove(server.process)
    return Profile(path)


def drive(server, target, count):
    """Sends requests one after the other. The first ones fill the store and the buffers."""
    connection = Connection(server.port, timeout=60)
    for number in range(count):
        path, fields = target(number)
        if ("Connection", "close") in fields and number:
            connection = Connection(server.port, timeout=60)
        status = connection.request(path, fields=fields).status
        if status not in (200, 304):
            raise Failure(f"{server.name}: {status} for {path}")
        if ("Connection", "close") in fields:
            connection.socket.close()
    connection.socket.close()
