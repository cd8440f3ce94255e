"""The timed rows, and what Larder must reach in them."""

from dataclasses import dataclass

PROXIES = ("larder", "haproxy", "nginx", "varnish")
ALL = ("floor", *PROXIES, "h2o")


@dataclass(frozen=True)
class Row:
    name: str
    title: str
    path: str
    # Bytes of the body as it comes; None: whatever the compressor makes of it.
    size: int | None
    peers: tuple
    # Answered without the origin.
    hits: bool = True
    # A connection for each request.
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
    # Of the size that Larder's gzip has: how big that is shows once it was asked for.
    Row("plain-gzip-size", "plain hit of that compressed size", "/files/plain", None, ("larder",)),
]
# Rows that are not timed by wrk, in the order they run.
OTHERS = ["idle", "objects", "latency", "ratio", "replay", "counts"]
EXTRA = ["many"]


@dataclass(frozen=True)
class Limit:
    """Larder's cost in a row by that of others (the least of them), or by its own in another row."""
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
