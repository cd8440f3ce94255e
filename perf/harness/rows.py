"""The timed rows, and the limits for Larder."""

from dataclasses import dataclass

PROXIES = ("larder", "haproxy", "nginx", "varnish")
ALL = ("floor", *PROXIES, "h2o")


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    path: str
    # The size of the body that arrives, in bytes; None: the size depends on the compressor.
    size: int | None
    peers: tuple
    # The answer comes without the origin.
    hits: bool = True
    # Each request has a new connection.
    closes: bool = False
    gzip: bool = False

    @property
    def fields(self):
        return ([("Connection", "close")] if self.closes else []) + (
            [("Accept-Encoding", "gzip")] if self.gzip else [])


ROWS = [
    Row("hit-1k", "hit, 1 KiB", "/hit-1k", 1024, ALL),
    Row("hit-16k", "hit, 16 KiB", "/hit-16k", 16384, ALL),
    Row("pass-1k", "pass-through, 1 KiB", "/pass-1k", 1024, ("floor", *PROXIES), hits=False),
    Row("connection-1k", "a connection for each request, 1 KiB", "/hit-1k", 1024, ALL, closes=True),
    Row("gzip-16k", "gzip hit, 16 KiB of text", "/text-16k", None, (*PROXIES, "h2o"), gzip=True),
    # The size of Larder's gzip, which is known after the first request for it.
    Row("plain-gzip-size", "plain hit of that compressed size", "/files/plain", None, ("larder",)),
]
# The rows that wrk does not time, in the order of their runs.
OTHERS = ["idle", "objects", "latency", "ratio", "replay", "counts"]
EXTRA = ["many"]


@dataclass(frozen=True)
class Limit:
    """A limit for Larder's cost in a row, divided by the least cost of the others, or by its own in a second row."""
    row: str
    against: tuple
    share: float
    other_row: str | None = None


LIMITS = [
    Limit("hit-1k", ("haproxy",), 0.70),
    Limit("hit-1k", ("floor",), 1.15),
    Limit("hit-16k", ("haproxy",), 0.80),
    Limit("pass-1k", ("haproxy", "nginx"), 0.85),
    Limit("connection-1k", ("haproxy",), 0.90),
    Limit("gzip-16k", ("larder",), 1.10, "plain-gzip-size"),
]
IDLE_BYTES = 0.6 * 1024
OBJECTS = 45000
LATENCY_RATIO = 1.0
