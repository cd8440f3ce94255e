"""The memory rows: the memory of an idle connection, the number of objects that fit, the cost of a hit among many."""

import statistics
import sys
import time

from . import peers, servers
from .client import Connection
from .load import wrk
from .peers import NAMES
from .processes import Failure
from .rows import ROWS


def measure_idle(bench, options):
    """{peer: bytes}"""
    return {peer: idle(bench.server(peer, ROWS[0]), options.idle)
            for peer in options.peers if peer != "floor"}


def measure_objects(stack, bench, options):
    """{peer: {"held": objects, "memory": bytes of the whole process after}}"""
    found = {}
    for peer in options.peers:
        if peer in ("larder", "haproxy", "varnish"):
            print(f"objects held by {NAMES[peer]} …", file=sys.stderr)
            found[peer] = objects(stack, bench, peer, options.objects)
    return found


def idle(server, count):
    """The private memory, in bytes, of a connection that has made one request and waits."""
    def ask(connection):
        if connection.request("/hit-1k").status != 200:
            raise Failure(f"{server.name}: no 200 on one of {count} idle connections")

    def settled():
        time.sleep(0.5)
        memory = server.process.memory()
        # Only private memory counts: the shared store does not belong to a connection.
        return memory.get("Pss_Anon") or memory["Rss"]

    # Warm up first, so that first-time allocations do not count.
    for _ in range(64):
        with Connection(server.port) as connection:
            ask(connection)
    before = settled()
    connections = []
    try:
        for _ in range(count):
            connections.append(Connection(server.port))
            ask(connections[-1])
        return (settled() - before) / count
    finally:
        for connection in connections:
            connection.socket.close()


def objects(stack, bench, peer, count):
    """Offers `count` objects one after the other. Returns how many are then answered without the origin."""
    if peer == "larder":
        server = servers.larder(stack, bench.origin.port, bench.serving, memory="64MiB")
    elif peer == "haproxy":
        server = peers.haproxy(stack, bench.origin.port, bench.serving)
    else:
        server = peers.varnish(stack, bench.origin.port, bench.serving)
    with Connection(server.port) as connection:
        for number in range(count):
            if connection.request(f"/o/{number}").status != 200:
                raise Failure(f"{peer}: no 200 for /o/{number}")
        # Ask newest first: a miss stores its object again, which then displaces only objects that were counted
        # already or are gone. Larder is asked with only-if-cached (504 on a miss), so it stores nothing.
        only = [("Cache-Control", "only-if-cached")] if peer == "larder" else []
        held = 0
        _, before = bench.origin.counts()
        for number in reversed(range(count)):
            status = connection.request(f"/o/{number}", fields=only).status
            held += status == 200
            if status not in (200, 504):
                raise Failure(f"{peer}: {status} for /o/{number}")
        _, after = bench.origin.counts()
    memory = server.process.memory()["Pss"]
    server.process.stop()
    return {"held": held if peer == "larder" else held - (after - before - 1), "memory": memory}


def measure_many(stack, bench, options):
    """The cost of a hit among 1 000 000 stored objects, chosen evenly, divided by the cost among 1 000."""
    server = servers.larder(stack, bench.origin.port, bench.serving, memory="2GiB")
    offered = 1_000_000
    fill = stack.write("fill.lua", f"""
        local number = -1
        request = function() number = (number + 1) % {offered}; return wrk.format(nil, "/o/" .. number) end
        """)
    print(f"storing {offered} objects …", file=sys.stderr)
    end = time.monotonic() + 300
    _, first = bench.origin.counts()
    while True:
        # The script starts at 0 each time; objects that are already stored take little time.
        wrk(stack, server.url("/"), bench.loading, options.connections, 60, fill)
        _, now = bench.origin.counts()
        if now - first >= offered:
            break
        if time.monotonic() > end:
            raise Failure(f"only {now - first} of {offered} objects fetched in 300 s")

    def cost(among):
        script = stack.write(f"among-{among}.lua", f"""
            math.randomseed(1)
            request = function() return wrk.format(nil, "/o/" .. math.random(0, {among} - 1)) end
            """)
        _, requests = bench.origin.counts()
        before = server.process.cpu()
        load = wrk(stack, server.url("/"), bench.loading, options.connections, options.seconds, script)
        _, after = bench.origin.counts()
        if after - requests - 1 > load.requests / 100:
            raise Failure(f"{after - requests - 1} of {load.requests} requests among {among} were not hits")
        return (server.process.cpu() - before) / load.requests

    ratios = [cost(offered) / cost(1000) for _ in range(options.rounds)]
    server.process.stop()
    return statistics.median(ratios)
