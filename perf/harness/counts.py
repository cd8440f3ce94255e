"""User-space instructions and allocations for each kind of answer, counted by callgrind on the real servers.

A server runs twice, for N requests of a kind and for 2N, otherwise alike; the difference by N is what one takes,
start and end cancelled. One connection, one request at a time: each is a turn of the loop by itself, so this is
the most that a request takes; a busy loop shares a turn's clock reads and waits among many.
"""

import re
import sys

from . import peers, servers
from .client import Connection
from .peers import NAMES
from .processes import Failure

COMPARED = ("larder", "haproxy")
REQUESTS = 500
KINDS = {
    "hit, 1 KiB": lambda number: ("/hit-1k", ()),
    "hit, 16 KiB": lambda number: ("/hit-16k", ()),
    "304 from the store": lambda number: ("/hit-1k", [("If-None-Match", "*")]),
    "miss, stored, 1 KiB": lambda number: (f"/o/{number}", ()),
    "pass-through, 1 KiB": lambda number: ("/pass-1k", ()),
}
ALLOCATORS = re.compile(r"^(malloc|calloc|realloc|memalign|posix_memalign|aligned_alloc)(@@.*)?$")


def measure(stack, bench, options):
    """{kind: {peer: {"instructions": …, "allocations": …}}}"""
    counted = {}
    for kind, target in KINDS.items():
        for peer in COMPARED:
            # HAProxy's own path for what it cannot store is without its filters; and it makes no 304 of `*`.
            if peer not in options.peers or (peer == "haproxy" and kind.startswith("304")):
                continue
            once = run(stack, bench, peer, target, REQUESTS)
            twice = run(stack, bench, peer, target, 2 * REQUESTS)
            each = [(b - a) / REQUESTS for a, b in zip(once, twice)]
            counted.setdefault(kind, {})[peer] = {"instructions": each[0], "allocations": each[1]}
            print(f"{kind}: {NAMES[peer]} {each[0]:,.0f} instructions, {each[1]:.2f} allocations",
                  file=sys.stderr)
    return counted


def run(stack, bench, peer, target, count):
    """(instructions, allocations) of a server's whole life with `count` requests."""
    profile = stack.path(f"callgrind-{len(stack.processes)}")
    wrapper = [servers.program("valgrind"), "--tool=callgrind", f"--callgrind-out-file={profile}", "-q"]
    if peer == "larder":
        server = servers.larder(stack, bench.origin.port, wrapper=wrapper)
    else:
        server = peers.haproxy(stack, bench.origin.port, cache=target(0)[0] != "/pass-1k", wrapper=wrapper)
    with Connection(server.port, timeout=60) as connection:
        # The first store it and fill the buffers.
        for number in range(20 + count):
            path, fields = target(number)
            status = connection.request(path, fields=fields).status
            if status not in (200, 304):
                raise Failure(f"{peer}: {status} for {path}")
    server.process.stop(patience=60)
    stack.processes.remove(server.process)
    return read(profile)


def read(profile):
    """(instructions, calls of allocators) of a callgrind file."""
    total, calls, names, callee = None, 0, {}, ""
    with open(profile, errors="replace") as file:
        for line in file:
            if line.startswith("cfn="):
                # (17) malloc the first time, (17) from then on.
                match = re.match(r"cfn=\((\d+)\)(?: (.*))?", line.rstrip("\n"))
                if match[2]:
                    names[match[1]] = match[2]
                callee = names.get(match[1], "")
            elif line.startswith("fn="):
                match = re.match(r"fn=\((\d+)\) (.*)", line.rstrip("\n"))
                if match:
                    names[match[1]] = match[2]
            elif line.startswith("calls=") and ALLOCATORS.match(callee.split("'")[0]):
                calls += int(line[6:].split()[0])
            elif line.startswith(("summary:", "totals:")):
                total = int(line.split()[1])
    if total is None:
        raise Failure(f"callgrind left no totals in {profile}")
    return total, calls
