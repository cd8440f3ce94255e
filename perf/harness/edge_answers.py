"""Edge cases, part 3: origins that misbehave. A malformed, truncated, late or missing response becomes a 502, a 504 or
a cut connection. It is never stored and never looks complete. A request on a reused connection that dies is retried if
that is safe."""

import socket
import struct
import time

from .client import Closed, Connection
from .edge_talk import expect
from .origin import raw

OK = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n"

# Name: the bytes that the origin sends in place of a response. Then it closes the connection.
MALFORMED = {
    "nothing": b"",
    "garbage": b"garbage\r\n\r\n",
    "half-a-head": OK + b"Content-Le",
    "no-version": b"200 OK\r\nContent-Length: 1\r\n\r\nx",
    "http-2": b"HTTP/2.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "status-of-two-digits": b"HTTP/1.1 20 OK\r\nContent-Length: 1\r\n\r\nx",
    "status-of-four-digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\nx",
    "status-099": b"HTTP/1.1 099 OK\r\nContent-Length: 1\r\n\r\nx",
    "lengths-differ": OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "length-negative": OK + b"Content-Length: -1\r\n\r\nx",
    "length-and-chunked": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "unknown-coding": OK + b"Transfer-Encoding: xyz\r\n\r\nx",
    "coding-twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    "no-colon": OK + b"X-A\r\nContent-Length: 1\r\n\r\nx",
    "space-before-colon": OK + b"Content-Length : 1\r\n\r\nx",
    "folded": OK + b"X-A: b\r\n c\r\nContent-Length: 1\r\n\r\nx",
    "nul": OK + b"X-A: b\x00c\r\nContent-Length: 1\r\n\r\nx",
    "bare-cr": OK + b"X-A: b\rc\r\nContent-Length: 1\r\n\r\nx",
    "bare-lf": OK.replace(b"\r\n", b"\n") + b"Content-Length: 1\n\nx",
    "endless-head": OK + b"X-A: b\r\n" * 20_000 + b"\r\n",
    "switching-unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}
# Name: a response that begins correctly and ends wrongly. The client must see that it is not whole.
TRUNCATED = {
    "short-body": OK + b"Content-Length: 100\r\n\r\nonly this",
    "no-last-chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "half-a-chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n10\r\nhello",
    "bad-chunk-size": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nx\r\n0\r\n\r\n",
    "bad-chunk-end": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello!!0\r\n\r\n",
}
RESET = struct.pack("ii", 1, 0)


def malformed(peer, request):
    peer.send(MALFORMED[request.target.split("/")[2]])
    return True


def truncated(peer, request):
    peer.send(TRUNCATED[request.target.split("/")[2]])
    time.sleep(0.05)
    return True


def reset(peer, request):
    peer.send(OK + b"Content-Length: 100000\r\n\r\n" + b"x" * 50_000)
    time.sleep(0.1)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    return True


def closes_idle(peer, request):
    """Answers as if the connection stays open, and closes it."""
    peer.answer(b"fine", fields=["Cache-Control: no-store"])
    return True


@raw
def dies_reused(peer, request):
    """Answers the first request of a connection, and closes the connection at the second request."""
    if request.number > 1:
        return True
    peer.request_body(request)
    peer.answer(b"fine", fields=["Cache-Control: no-store"])


def talks_idle(peer, request):
    """Sends a second response without a request."""
    peer.answer(b"first", fields=["Cache-Control: no-store"])
    time.sleep(0.05)
    peer.answer(b"poison", fields=["Cache-Control: max-age=60"])


def extra(peer, request):
    """Sends bytes directly after the body."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")


def never(peer, request):
    time.sleep(6)
    return True


@raw
def refuses_body(peer, request):
    """Answers before the request body has arrived, and closes the connection."""
    peer.answer(b"too much", "403 Forbidden", ["Connection: close"])
    time.sleep(0.3)
    return True


def flood(peer, request):
    """Sends a body without end, and records when the proxy closes the connection."""
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
    try:
        while True:
            peer.send(b"x" * 65536)
    finally:
        flood.ended = time.monotonic()


flood.ended = None
BEHAVIOURS = {
    "malformed": malformed, "truncated": truncated, "reset": reset, "closes-idle": closes_idle,
    "dies-reused": dies_reused, "talks-idle": talks_idle, "extra": extra, "never": never,
    "refuses-body": refuses_body, "flood": flood,
}


def is_502(name):
    def case(bed):
        target = f"/malformed/{name}"
        for _ in range(2):
            with Connection(bed.port, timeout=8) as connection:
                response = connection.request(target)
                expect(response.status == 502, f"answered {response.status}, not 502")
                expect("hit" not in response.get("Cache-Status"), "a 502 from the store")
        expect(len(bed.origin.requests(target)) >= 2, "the second request did not reach the origin")
    return f"malformed: {name}", case


def is_cut(name):
    def case(bed):
        target = f"/truncated/{name}"
        for _ in range(2):
            with Connection(bed.port, timeout=8) as connection:
                try:
                    response = connection.request(target)
                except (Closed, ValueError):
                    continue  # Cut off, and seen to be.
                expect(response.status == 502, f"shown as complete: {response}")
        expect(len(bed.origin.requests(target)) >= 2, "the second request did not reach the origin: stored")
    return f"truncated: {name}", case


def is_reset(bed):
    with Connection(bed.port) as connection:
        try:
            response = connection.request("/reset")
        except (Closed, ConnectionError):
            return
        expect(response.status == 502, f"shown as complete: {len(response.body)} bytes")


def idle_close(bed):
    with Connection(bed.port) as connection:
        for number in range(10):
            response = connection.request("/closes-idle")
            expect(response.body == b"fine", f"request {number}: {response}")
            time.sleep(0.02 * (number % 3))


def reused_dies(bed):
    with Connection(bed.port) as connection:
        for number in range(10):
            response = connection.request(f"/dies-reused/{number}")
            expect(response.body == b"fine", f"a safe request on a dying connection must be retried: {response}")


def reused_dies_unsafe(bed):
    """A POST may fail or use a new connection, but must not be sent twice."""
    with Connection(bed.port) as connection:
        connection.request("/dies-reused/warm")
        for number in range(5):
            target = f"/dies-reused/post{number}"
            response = connection.request(target, method="POST", body=b"x" * 10)
            arrived = len(bed.origin.requests(target))
            expect(arrived <= 1, f"a POST reached the origin {arrived} times")
            expect(response.status in (200, 502), f"POST: {response}")


def unasked_answer(bed):
    with Connection(bed.port) as connection:
        for path in ("/talks-idle", "/extra"):
            connection.request(path)
            time.sleep(0.15)
            for _ in range(3):
                response = connection.request("/whole/after")
                expect(response.body == b"GET /whole/after 0", f"{path}: the answer to a different request: {response}")


def too_late(bed):
    started = time.monotonic()
    with Connection(bed.port, timeout=10) as connection:
        response = connection.request("/never")
    seconds = time.monotonic() - started
    said = f"{response.status} after {seconds:.1f} s"
    expect(response.status == 504 and 2.5 < seconds < 5.5, f"{said}, not 504 after 3 s")


def early_refusal(bed):
    with Connection(bed.port) as connection:
        try:
            connection.send(b"POST /refuses-body HTTP/1.1\r\nHost: e.example\r\nContent-Length: 900000\r\n\r\n")
            for _ in range(9):
                connection.send(b"x" * 100_000)
        except OSError:
            pass
        expect(connection.response().status == 403, "the early answer did not arrive")


def client_leaves(bed):
    """When clients leave, the proxy soon closes the connection to the origin, and keeps nothing."""
    connection = Connection(bed.port)
    connection.request("/whole/warm")
    time.sleep(0.3)
    before, flood.ended = bed.descriptors(), None
    connections = [Connection(bed.port) for _ in range(20)]
    for leaving in connections:
        leaving.send(b"GET /flood HTTP/1.1\r\nHost: e.example\r\n\r\n")
        leaving.head()
    for leaving in connections:
        leaving.socket.close()
    end = time.monotonic() + 5
    while time.monotonic() < end and (bed.descriptors() > before + 2 or flood.ended is None):
        time.sleep(0.1)
    expect(flood.ended is not None, "the proxy still reads from the origin after the client has left")
    expect(bed.descriptors() <= before + 2, f"{bed.descriptors() - before} descriptors more than before")
    expect(connection.request("/whole/after").status == 200, "a different request failed")
    connection.socket.close()


def cases():
    return [
        *[is_502(name) for name in MALFORMED], *[is_cut(name) for name in TRUNCATED],
        ("reset in the body", is_reset), ("idle connection closed", idle_close),
        ("reused connection dies: GET", reused_dies), ("reused connection dies: POST", reused_dies_unsafe),
        ("a response without a request", unasked_answer), ("an origin that does not answer", too_late),
        ("an answer before the body's end", early_refusal), ("clients leave in mid-fetch", client_leaves),
    ]
