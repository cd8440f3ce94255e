"""Edge cases, part 2: valid conversations. Pipelining, HEAD, 100-continue, HTTP/1.0, half-close, chunked coding both
ways, trailers, hop-by-hop fields, and the cache."""

import socket
import time

from .client import Connection
from .origin import raw
from .processes import Failure


def expect(holds, message):
    if not holds:
        raise Failure(message)


# The behaviours of the origin, by the first segment of the path.

def whole(peer, request):
    """Answers with the number of bytes of the request body, and the body."""
    peer.answer(f"{request.method} {request.target} {len(request.body)}".encode(), fields=["Cache-Control: no-store"])


def body(peer, request):
    peer.answer(request.body, fields=["Cache-Control: no-store"])


def kept(peer, request):
    """Sends a response that may be stored for a minute. Its body counts the responses."""
    count = len(request.target) and kept.counts.get(request.target, 0) + 1
    kept.counts[request.target] = count
    fields = ["Cache-Control: max-age=60", 'ETag: "v1"', "Last-Modified: Mon, 23 Nov 2026 10:00:00 GMT"]
    peer.answer(b"%d" % count, fields=fields)


kept.counts = {}


def cookie(peer, request):
    peer.answer(b"private", fields=["Cache-Control: max-age=60", "Set-Cookie: id=1"])


def streamed(peer, request):
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
              b"5;a=b\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Sum: 11\r\n\r\n")


def till_close(peer, request):
    peer.send(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\n\r\nuntil the end")
    return True


@raw
def hesitant(peer, request):
    """Sends 100 Continue only after a while."""
    time.sleep(0.2)
    peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    peer.request_body(request)
    peer.answer(request.body)


def hints(peer, request):
    peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
    peer.answer(b"after hints")


def empty(peer, request):
    peer.send(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n")


def hops(peer, request):
    peer.answer(b"x", fields=["Connection: X-Secret", "X-Secret: 1", "Keep-Alive: timeout=5", "X-Open: 1",
                              "Proxy-Authenticate: Basic"])


def slow(peer, request):
    time.sleep(1)
    peer.answer(b"at last")


BEHAVIOURS = {
    "whole": whole, "whole-big": whole, "body": body, "kept": kept, "cookie": cookie, "streamed": streamed,
    "till-close": till_close, "hesitant": hesitant, "hints": hints, "empty": empty, "hops": hops, "slow": slow,
    "*": whole, "smuggled": whole, "refused": whole,
}


# Cases.

def byte_by_byte(bed):
    with Connection(bed.port) as connection:
        for byte in b"POST /body HTTP/1.1\r\nHost: e.example\r\nContent-Length: 3\r\n\r\nabc":
            connection.send(bytes([byte]))
            time.sleep(0.002)
        expect(connection.response().body == b"abc", "the body differs")


def pipelined(bed):
    with Connection(bed.port) as connection:
        parts = [f"GET /whole/{n} HTTP/1.1\r\nHost: e.example\r\n\r\n" for n in range(20)]
        parts.insert(7, "POST /body HTTP/1.1\r\nHost: e.example\r\nContent-Length: 5\r\n\r\nhello")
        connection.send("".join(parts).encode())
        got = [connection.response().body.decode() for _ in parts]
        wanted = [f"GET /whole/{n} 0" for n in range(20)]
        wanted.insert(7, "hello")
        expect(got == wanted, f"out of order or lost: {got}")


def pipelined_hits(bed):
    with Connection(bed.port) as connection:
        connection.request("/kept/pipelined", host="e.example")
        connection.send(b"GET /kept/pipelined HTTP/1.1\r\nHost: e.example\r\n\r\n" * 200)
        bodies = {connection.response().body for _ in range(200)}
        expect(bodies == {b"1"}, f"not all of 200 pipelined hits: {bodies}")


def empty_lines_first(bed):
    with Connection(bed.port) as connection:
        connection.send(b"\r\nGET /whole/1 HTTP/1.1\r\nHost: e.example\r\n\r\n")
        expect(connection.response().status == 200, "a leading empty line must be skipped (RFC 9112 §2.2)")


def head_request(bed):
    with Connection(bed.port) as connection:
        response = connection.request("/whole/head", method="HEAD")
        expect(response.status == 200 and int(response.get("Content-Length")) > 0, f"HEAD: {response}")
        expect(connection.request("/whole/next").body == b"GET /whole/next 0", "the connection is out of step")


def head_from_store(bed):
    with Connection(bed.port) as connection:
        first = connection.request("/kept/head")
        response = connection.request("/kept/head", method="HEAD")
        expect(response.get("Content-Length") == str(len(first.body)), f"HEAD of a stored answer: {response}")
        expect("hit" in response.get("Cache-Status"), f"no hit: {response.get('Cache-Status')}")
        expect(connection.request("/kept/head").body == first.body, "the connection is out of step")


def continues(bed):
    with Connection(bed.port) as connection:
        connection.send(b"POST /hesitant HTTP/1.1\r\nHost: e.example\r\nContent-Length: 5\r\n"
                        b"Expect: 100-continue\r\n\r\n")
        _, status, fields = connection.head()
        expect(status == 100, f"{status} where 100 is expected")
        connection.send(b"hello")
        response = connection.response()
        expect(response.body == b"hello", f"after 100: {response}")


def continues_unasked(bed):
    """The origin never sends 100. After a while the client sends the body anyway (RFC 9110 §10.1.1)."""
    with Connection(bed.port) as connection:
        connection.send(b"POST /body HTTP/1.1\r\nHost: e.example\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        time.sleep(0.5)
        connection.send(b"hello")
        response = connection.response()
        expect(response.body == b"hello", f"{response}")


def continues_early(bed):
    with Connection(bed.port) as connection:
        connection.send(b"POST /hesitant HTTP/1.1\r\nHost: e.example\r\nContent-Length: 5\r\n"
                        b"Expect: 100-continue\r\n\r\nhello")
        interim = []
        response = connection.response(interim=interim)
        expect(response.body == b"hello", f"after 100: {response}")
        expect(len(interim) <= 1, f"{len(interim)} interim answers")


def early_hints(bed):
    with Connection(bed.port) as connection:
        interim = []
        connection.send(b"GET /hints HTTP/1.1\r\nHost: e.example\r\n\r\n")
        response = connection.response(interim=interim)
        expect(response.body == b"after hints", f"{response}")
        expect([r.status for r in interim] == [103], f"interim answers: {interim}")
    with Connection(bed.port) as connection:
        connection.send(b"GET /hints HTTP/1.0\r\nHost: e.example\r\n\r\n")
        _, status, _ = connection.head()
        expect(status == 200, f"an interim answer {status} went to HTTP/1.0")


def old_version(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET /whole/old HTTP/1.0\r\nHost: e.example\r\n\r\n")
        response = connection.response()
        expect(response.status == 200 and connection.closed(), "HTTP/1.0 without keep-alive must be closed")
    with Connection(bed.port) as connection:
        for _ in range(2):
            connection.send(b"GET /whole/old HTTP/1.0\r\nHost: e.example\r\nConnection: keep-alive\r\n\r\n")
            response = connection.response()
            expect(response.get("Connection").lower() == "keep-alive", f"HTTP/1.0 keep-alive: {response}")


def old_version_streamed(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET /streamed HTTP/1.0\r\nHost: e.example\r\n\r\n")
        response = connection.response()
        expect(not response.get("Transfer-Encoding"), "chunked to HTTP/1.0")
        expect(response.body == b"hello world", f"{response}")


def no_host_old(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET /whole/nohost HTTP/1.0\r\n\r\n")
        status = connection.response().status
        expect(status in (200, 404), f"HTTP/1.0 needs no Host: {status}")


def closes_as_asked(bed):
    with Connection(bed.port) as connection:
        response = connection.request("/whole/close", fields=[("Connection", "close")])
        expect("close" in response.get("Connection").lower() and connection.closed(), "the connection must close")


def half_close(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET /slow HTTP/1.1\r\nHost: e.example\r\n\r\n")
        connection.socket.shutdown(socket.SHUT_WR)
        expect(connection.response().body == b"at last", "a client that has closed its sending side got no answer")
        expect(connection.closed(), "the connection stayed open after that answer")


def chunked_up(bed):
    with Connection(bed.port) as connection:
        connection.send(b"POST /body HTTP/1.1\r\nHost: e.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        for part in (b"5\r\nhel", b"lo\r", b"\n000A;x=\"y\"\r\n, chunked!\r\n", b"0\r\nX-T: 1\r\n", b"\r\n"):
            connection.send(part)
            time.sleep(0.02)
        expect(connection.response().body == b"hello, chunked!", "the chunked body differs")
        expect(connection.request("/whole/after").status == 200, "the connection is out of step")


def chunked_down(bed):
    with Connection(bed.port) as connection:
        response = connection.request("/streamed", fields=[("TE", "trailers")])
        expect(response.body == b"hello world", f"{response}")
        expect(connection.request("/whole/after").status == 200, "the connection is out of step")


def until_close(bed):
    with Connection(bed.port) as connection:
        response = connection.request("/till-close")
        expect(response.body == b"until the end", f"{response}")
    with Connection(bed.port) as connection:
        status = connection.request("/till-close").get("Cache-Status")
        expect("hit" not in status, "a close-delimited body was stored")


def no_content(bed):
    with Connection(bed.port) as connection:
        response = connection.request("/empty")
        expect(response.status == 204 and not response.get("Transfer-Encoding"), f"{response}")
        expect(connection.request("/whole/after").status == 200, "the connection is out of step")


def forms_of_target(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET http://e.example/whole/absolute?q=1 HTTP/1.1\r\nHost: e.example\r\n\r\n")
        expect(connection.response().body == b"GET /whole/absolute?q=1 0", "absolute-form")
        connection.send(b"OPTIONS * HTTP/1.1\r\nHost: e.example\r\n\r\n")
        status = connection.response().status
        expect(status in (200, 204, 404), f"OPTIONS *: {status}")


def one_hop_only(bed):
    with Connection(bed.port) as connection:
        connection.send(b"GET /hops HTTP/1.1\r\nHost: e.example\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n"
                        b"Keep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\n"
                        b"Proxy-Authorization: Basic eA==\r\nX-Stays: 1\r\n\r\n")
        response = connection.response()
    names = bed.origin.requests("/hops")[-1].names()
    gone = {"x-mine", "keep-alive", "proxy-connection", "proxy-authorization"}
    expect(not gone & set(names), f"the origin got {sorted(gone & set(names))}")
    expect("x-stays" in names, "X-Stays was lost")
    back = [name.lower() for name, _ in response.fields]
    expect("x-open" in back, "X-Open was lost")
    gone = {"x-secret", "keep-alive", "proxy-authenticate"}
    expect(not gone & set(back), f"the client got {sorted(gone & set(back))}")


def forwarded(bed):
    with Connection(bed.port) as connection:
        connection.request("/whole/forwarded", host="e.example",
                           fields=[("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-Proto", "https")])
    request = bed.origin.requests("/whole/forwarded")[-1]
    # 127.0.0.1 may be a trusted proxy. The client's own address must be the last one.
    expect(request.get("X-Forwarded-For").split(",")[-1].strip() == "127.0.0.1",
           f"X-Forwarded-For: {request.get('X-Forwarded-For')!r}")
    expect(request.get("Host") == "e.example", f"Host: {request.get('Host')!r}")


def hit_and_age(bed):
    with Connection(bed.port) as connection:
        first = connection.request("/kept/age")
        expect("fwd=" in first.get("Cache-Status"), f"first: {first.get('Cache-Status')}")
        time.sleep(1.1)
        second = connection.request("/kept/age")
        expect(second.body == first.body and "hit" in second.get("Cache-Status"), f"second: {second}")
        expect(1 <= int(second.get("Age")) <= 3, f"Age: {second.get('Age')}")
        expect(second.get("Date") == first.get("Date"), "Date of a stored answer changed")


def not_modified(bed):
    with Connection(bed.port) as connection:
        connection.request("/kept/304")
        for fields in ([("If-None-Match", 'W/"v1"')], [("If-None-Match", '"x", "v1"')], [("If-None-Match", "*")],
                       [("If-Modified-Since", "Mon, 23 Nov 2026 10:00:00 GMT")]):
            response = connection.request("/kept/304", fields=fields)
            expect(response.status == 304, f"{fields}: {response.status}")
            expect(response.get("ETag") == '"v1"', f"{fields}: 304 without its ETag")
        response = connection.request("/kept/304", fields=[("If-None-Match", '"no"')])
        expect(response.status == 200, f"a different tag: {response.status}")


def never_stored(bed):
    for target, fields, why in [
        ("/cookie", [], "Set-Cookie"), ("/kept/authorized", [("Authorization", "Basic eA==")], "Authorization"),
        ("/kept/no-store", [("Cache-Control", "no-store")], "no-store"),
    ]:
        with Connection(bed.port) as connection:
            connection.request(target, fields=fields)
            status = connection.request(target).get("Cache-Status")
            expect("hit" not in status, f"{why}: stored: {status}")


def invalidates(bed):
    with Connection(bed.port) as connection:
        connection.request("/kept/unsafe")
        connection.request("/kept/unsafe", method="POST", body=b"x")
        response = connection.request("/kept/unsafe")
        expect(response.body == b"3", f"after a POST the stored answer was served: {response}")


CASES = [
    ("a request byte by byte", byte_by_byte), ("pipelined requests", pipelined), ("pipelined hits", pipelined_hits),
    ("an empty line first", empty_lines_first), ("HEAD", head_request), ("HEAD of a stored answer", head_from_store),
    ("100-continue", continues), ("100-continue, the body sent at once", continues_early),
    ("100-continue, the origin says nothing", continues_unasked),
    ("103 Early Hints", early_hints), ("HTTP/1.0", old_version), ("HTTP/1.0 gets no chunks", old_version_streamed),
    ("HTTP/1.0 without Host", no_host_old), ("Connection: close", closes_as_asked), ("half-close", half_close),
    ("a chunked request", chunked_up), ("a chunked answer with trailers", chunked_down),
    ("an answer that ends by the close", until_close), ("204", no_content), ("forms of the target", forms_of_target),
    ("fields for one hop", one_hop_only), ("X-Forwarded-For and Host", forwarded), ("a hit and its Age", hit_and_age),
    ("304 from the store", not_modified), ("what is never stored", never_stored),
    ("POST invalidates", invalidates),
]
